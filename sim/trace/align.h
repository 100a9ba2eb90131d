// Traces of several processes on one clock.
//
// Clocks of machines differ by more than a pipeline message takes. What ranks do together tells by
// how much: a collective's kernels, and the two of a message, end at nearly the same time on all
// that take part. Operations are the same where they have the same key, the n-th on one rank with
// the n-th on the other:
//   "p2p 0>1"          a message, by args "Src Rank" and "Dst Rank" of PyTorch's NCCL kernels
//   "dp_0 allreduce"   by args "Process Group Name" and "Collective name"
//   the kernel's name  of a collective, dispatch or combine without such args
// A key counts between two traces where both have it equally often. The offset of two clocks is the
// median difference of these ends; all are tied to the first trace's along the pairs with the most
// operations in common. `error` is the median of what the differences are off from the offset.
//
// Example: rank 0 ends its sends at 10, 20, 30 us, rank 1 its receives at 110, 121, 130 us of its
// own clock: rank 1 is 100 us ahead.
#pragma once

#include <vector>

#include "sim/base/result.h"
#include "sim/trace/trace.h"

namespace pipescope::trace {

struct Alignment {
  std::vector<Duration> offset;   // [trace] what to take from its times, of the first trace's clock
  std::vector<int64_t> clock_ns;  // [trace] by how much its clock is ahead of the first one's
  int64_t common = 0;             // pairs of operations looked at
  Duration error;
};

// Fails where a trace has nothing in common with the others.
Result<Alignment> Align(const std::vector<Trace>& traces);

}  // namespace pipescope::trace
