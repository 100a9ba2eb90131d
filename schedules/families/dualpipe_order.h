// The order that DualPipe and DualPipeV share, for one rank.
//
// Two streams of micro-batches meet on the rank: the near one, which entered the pipeline closer to
// it, and the far one. In DualPipe they are the two directions; in DualPipeV the down leg and the
// up leg of the V. With H half-ranks, of which this is number h (0 is outermost), g = H-h-1, and n
// micro-batches a stream (a = near, b = far; "&" is an overlapped pair, "x" a repetition):
//
//   1  2g x           F(a)
//   2  (h+1) x        F(a) F(b)
//   3  g x            I(b) W F(b)
//   4  (n-2H+h+1) x   F(a)&B(b) F(b)&B(a); where g = 0 the very first pair runs as F(a), B(b)
//   5  g x            B(b) F(b)&B(a)
//   6  (h+1) x        backward(b) backward(a): of the 2(h+1) the first half B, the second half I
//   7  g x            W I(a)
//   8  (h+1) x        W
//
// F, B and I of a stream take its micro-batches in order; the W's of both wait in one queue.
//
// Source: DeepSeek-AI, "DeepSeek-V3 Technical Report", arXiv 2412.19437, section 3.2.1, and the
// order of actions traced from github.com/deepseek-ai/DualPipe.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "schedules/costs.h"
#include "schedules/schedule.h"

namespace pipescope::schedules {

struct DualPipeStream {
  int stage = 0;             // on this rank
  int first_microbatch = 0;  // of the stream
};

struct DualPipeRank {
  int half_ranks = 0;    // H
  int half_rank = 0;     // h
  int microbatches = 0;  // n, of each stream; at least 2H
  DualPipeStream near, far;
};

std::vector<Action> DualPipeOrder(const DualPipeRank& rank);

// (H-1)(FB+B-3W), the bubble of the rank that waits longest, where that is exact: for F = I = W,
// B = I + W, FB between 2F and 3F (outer ranks wait less where it is below 3F) and no latency. For
// other costs the published formula is only near.
std::optional<double> DualPipeBubble(int64_t half_ranks, const Costs& costs);

}  // namespace pipescope::schedules
