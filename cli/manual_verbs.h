// `pipescope completion SHELL` and `pipescope man`: what the command line says about itself.
#pragma once

#include <CLI/CLI.hpp>

namespace pipescope::cli {

// Add them last: they describe the verbs that are there when they run.
void AddManualVerbs(CLI::App& app, int& exit_code);

}  // namespace pipescope::cli
