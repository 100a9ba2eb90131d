// `pipescope validate`: real runs of schedules, and the simulator's predictions of them.
#pragma once

#include <CLI/CLI.hpp>

namespace pipescope::cli {

void AddValidateVerb(CLI::App& app, int& exit_code);

}  // namespace pipescope::cli
