// GEMMs with their shapes, from a trace that recorded its operators' input sizes.
//
//   aten::mm      [m x k] [k x n]          aten::addmm  the same after what is added
//   aten::bmm     [b x m x k] [b x k x n]  b groups
//
// A call's time is that of the device operations launched during it. Its pass: forward, where no
// function of the backward pass is around it. Of a linear layer with y = x W (rows m, n wide, k
// deep) the backward pass has two GEMMs, which sizes tell apart:
//   input gradient   [m x n] [n x k]     weight gradient  [n x m] [m x k], kept as [k x m] [m x n]
// A backward GEMM that answers to no forward one by these rules is left out.
//
// Example: forward 4096 x 7168 x 2048; backward 4096 x 2048 x 7168 is its input gradient, 7168 x
// 2048 x 4096 its weight gradient.
#pragma once

#include <vector>

#include "sim/measured/profile.h"
#include "sim/trace/trace.h"

namespace pipescope::trace {

struct GemmCall {
  measured::Pass pass = measured::Pass::kForward;
  measured::Format format = measured::Format::kUnknown;
  int64_t groups = 1, m = 0, n = 0, k = 0;
  Duration time;
};

std::vector<GemmCall> GemmCalls(const Trace& trace);

}  // namespace pipescope::trace
