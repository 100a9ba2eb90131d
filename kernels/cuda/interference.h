// What communication and computation do to each other's speed on one GPU.
//
// A copy that has as many blocks as communication has SMs stands for dispatch and combine: it
// reads and writes HBM with 16-byte accesses, as their rows do, and never ends before it is told
// to. The other kernel has the SMs that are left. Each is timed alone and beside the other:
//
//   slowdown of the kernel     its time beside the copy / its time while the same blocks hold the
//                              same SMs and copy nothing
//   slowdown of communication  the copy's rate alone / its rate beside the kernel
//
// so that what fewer SMs cost, which a model knows, is not counted as interference. For that any
// kernel will do: it need not know how many SMs it has.
#pragma once

#include <functional>

#include "kernels/cuda/work.h"

namespace pipescope::kernels::cuda {

struct Interference {
  int communication_sms = 0;
  int free_sms = 0;
  Duration alone, beside;
  Duration communication_alone, communication_beside;  // for 1 GB
};

// Makes the kernel ready for that many SMs, where it cares.
using Prepare = std::function<PreparedWork(int sms)>;
Result<Interference> MeasureInterference(const Prepare& prepare, int communication_sms);

}  // namespace pipescope::kernels::cuda
