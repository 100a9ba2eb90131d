// kernels predict: operations that a calibration left out, predicted from it, then measured.
#pragma once

#include <CLI/CLI.hpp>

namespace pipescope::cli {

void AddKernelsPredictVerb(CLI::App& kernels, int& exit_code);

}  // namespace pipescope::cli
