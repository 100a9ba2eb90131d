// `pipescope validate`: real runs of schedules, and the simulator's predictions of them.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace pipescope::cli {

// `command` is shown on the report page.
void AddValidateVerb(CLI::App& app, const std::string& command, int& exit_code);

}  // namespace pipescope::cli
