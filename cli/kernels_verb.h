// pipescope kernels: the real kernels, checked and timed on this machine.
#pragma once

#include <CLI/CLI.hpp>

namespace pipescope::cli {

void AddKernelsVerb(CLI::App& app, int& exit_code);

}  // namespace pipescope::cli
