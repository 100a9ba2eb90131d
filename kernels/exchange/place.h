// Which rank of how many this process is, read from what started it: no launcher is linked.
//
//   by hand       PIPESCOPE_RANK, PIPESCOPE_RANKS, PIPESCOPE_LOCAL_RANK, PIPESCOPE_LOCAL_RANKS
//   mpirun        OMPI_COMM_WORLD_RANK, _SIZE, _LOCAL_RANK, _LOCAL_SIZE       (Open MPI)
//                 PMI_RANK, PMI_SIZE, MPI_LOCALRANKID, MPI_LOCALNRANKS        (MPICH's Hydra)
//   srun          SLURM_PROCID, SLURM_NTASKS, SLURM_LOCALID, SLURM_STEP_TASKS_PER_NODE
//   torchrun      RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE
//
// The first of these whose rank is set counts, and then all four must be there: numbers, ranks
// filling nodes one after the other, the same number on each ("4" or "4(x2)" with Slurm).
//
// Example: `mpirun -n 16 -N 8 pipescope kernels exchange --meet node0:29500`: rank 9 is local rank
// 1 of 8 on node 1 of 2. Sources: Open MPI's FAQ on environment variables; srun(1), OUTPUT
// ENVIRONMENT VARIABLES.
#pragma once

#include <functional>
#include <string>

#include "sim/base/result.h"

namespace pipescope::kernels::exchange {

struct Place {
  int rank = 0, ranks = 1;
  int local = 0, locals = 1;
  std::string launcher = {};  // "Open MPI"

  int nodes() const { return ranks / locals; }
};

// Null where a variable is not set.
using Environment = std::function<const char*(const char* name)>;
Result<Place> PlaceOf(const Environment& environment);

}  // namespace pipescope::kernels::exchange
