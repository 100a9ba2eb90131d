// pipescope comm: one communication pattern on one fabric.
#pragma once

#include <CLI/CLI.hpp>

namespace pipescope::cli {

void AddCommVerb(CLI::App& app, int& exit_code);

}  // namespace pipescope::cli
