// `validate` as one process of a job that mpirun has started: a process for each rank.
//
//   who is who        read from the environment, before MPI is opened
//   bad usage         every process finds the same; the first one says so and exits with 2, the
//                     others with 0, since mpirun would end the job, and the first one with it, at
//                     whoever exits with something else before
//   a failure in it   exit code 1, with the rank and the action (executor/watch.h, keeper.h)
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "kernels/executor/crew.h"
#include "sim/base/result.h"

namespace pipescope::cli {

struct ProcessJob {
  std::vector<int> ranks;  // of a pipeline: each must be as many processes as there are
  int replicas = 1;
  std::chrono::milliseconds patience{60'000};
};

// Forks (keeper.h): returns, in the child, the exit code. `check` comes first, `show` last and on
// the first process alone.
int RunProcessJob(const ProcessJob& job, const std::function<Status(bool first)>& check,
                  const std::function<Status(executor::Crew&)>& measure,
                  const std::function<int()>& show);

// For ranks that are threads: the exit code, if mpirun started several processes, each of which
// would train all ranks and write the same files. srun and torchrun are not asked: a batch script's
// own process may have their variables, too.
std::optional<int> RefuseInJob();

}  // namespace pipescope::cli
