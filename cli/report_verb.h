// `report`: an HTML report from a result that was stored with --json.
#pragma once

#include <CLI/CLI.hpp>

namespace pipescope::cli {

void AddReportVerb(CLI::App& app, int& exit_code);

}  // namespace pipescope::cli
