// pipescope kernels exchange: dispatch and combine among the GPUs of a job, under mpirun or srun.
#pragma once

#include <CLI/CLI.hpp>

namespace pipescope::cli {

// As a verb of `kernels`.
void AddKernelsExchangeVerb(CLI::App& kernels, int& exit_code);

}  // namespace pipescope::cli
