// Which GPU, and which share of it, each rank of a process gets; which GPU a process gets.
//
//   one process       R ranks on G GPUs: as few on one as can be, ceil(R / G), in the order of
//                     their numbers, so that neighbours of a pipeline are on one GPU or on
//                     neighbouring ones: rank r on GPU floor(r G / R). All GPUs are divided into as
//                     many shares as the fullest has ranks: ranks of different speed would be a
//                     different pipeline
//   a process a rank  a GPU to itself: the n-th process of a machine on GPU n; where a launcher
//                     shows each process one GPU alone, that one
//
// Example: 8 ranks on 4 GPUs: 0 and 1 on the first, halves each. 5 ranks on 4 GPUs: 0 and 1 share
// the first; the others have half a GPU too, and the other half stays idle.
//
// What shares do not divide is L2, HBM and power: where G does not divide R, a rank that is alone
// on its GPU has more of these.
#pragma once

#include <string>
#include <vector>

#include "sim/base/result.h"

namespace pipescope::transformer::device {

struct GpuPlace {
  int gpu = 0, share = 0;
};

struct GpuPlan {
  int gpus = 1;    // the first ones
  int shares = 1;  // of each GPU; 1: ranks have whole ones
  std::vector<GpuPlace> ranks;
};

// `there`: how many the machine has; `limit`: how many of them at most, 0: all.
Result<GpuPlan> PlanGpus(int ranks, int there, int limit);

// Of the process that is the `local`-th of `locals` on its machine.
Result<int> PlanOwnGpu(int local, int locals, int there, int limit);
// `ids`, by rank: what tells one GPU from all others of the world.
Status CheckOwnGpus(const std::vector<std::string>& ids);

}  // namespace pipescope::transformer::device
