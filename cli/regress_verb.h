// `regress`: exit 1 when a step time, a bubble or a memory peak got worse than its baseline.
#pragma once

#include <CLI/CLI.hpp>

namespace pipescope::cli {

void AddRegressVerb(CLI::App& app, int& exit_code);

}  // namespace pipescope::cli
