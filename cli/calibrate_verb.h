// pipescope calibrate: this machine's speeds as a profile that costs are read from.
#pragma once

#include <CLI/CLI.hpp>

namespace pipescope::cli {

void AddCalibrateVerb(CLI::App& app, int& exit_code);

}  // namespace pipescope::cli
