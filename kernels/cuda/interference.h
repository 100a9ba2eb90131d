// What communication and computation do to each other's speed on one GPU.
//
// A copy that has as many blocks as communication has SMs stands for dispatch and combine: it
// reads and writes HBM with 16-byte accesses, as their rows do, and never ends before it is told
// to. The other kernel has the SMs that are left. Both are timed alone, each on its own SMs, and
// beside each other:
//
//   slowdown of the kernel     its time beside the copy / alone on as many SMs
//   slowdown of communication  the copy's rate alone / its rate beside the kernel
//
// so that what fewer SMs cost, which a model knows, is not counted as interference.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/cuda/gpu.h"

namespace pipescope::kernels::cuda {

struct Interference {
  std::string kernel;
  int64_t m = 0, n = 0, k = 0;  // of a GEMM; rows, columns and 0 of a quantiser
  int communication_sms = 0;
  Duration alone, beside;
  Duration communication_alone, communication_beside;  // for 1 GB
};

Result<std::vector<Interference>> MeasureInterference(const std::vector<int>& communication_sms);

}  // namespace pipescope::kernels::cuda
