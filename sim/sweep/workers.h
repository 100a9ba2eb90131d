// Which of several processes this one is, where a launcher started them together.
//
// Launchers tell it in the environment, so that no MPI library is needed:
//   Open MPI               OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE
//   MPICH, Intel MPI       PMI_RANK, PMI_SIZE
//   Slurm's srun           SLURM_PROCID, SLURM_STEP_NUM_TASKS (SLURM_NTASKS is set in a batch
//                          script as well, which runs once)
// Sources: mpirun(1) of Open MPI 4, "Environment variables"; MPICH's PMI-1; srun(1), "Output
// environment variables".
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "sim/base/result.h"

namespace pipescope::sweep {

struct Worker {
  int rank = 0;
  int size = 1;

  // Every size-th point is this worker's.
  bool Owns(int64_t point) const { return point % size == rank; }
};

// "1/3": the second of three.
Result<Worker> ParseWorker(const std::string& text);

// `get` is std::getenv, or what a test has in its place. One worker where nothing is set; fails
// where what is set makes no sense.
Result<Worker> WorkerFromEnvironment(const std::function<const char*(const char*)>& get);

}  // namespace pipescope::sweep
