// `pipescope schedule list | show | check`: orders of actions and their timing at fidelity
// `schedule`.
#pragma once

#include <CLI/CLI.hpp>

namespace pipescope::cli {

void AddScheduleVerb(CLI::App& app, int& exit_code);

}  // namespace pipescope::cli
