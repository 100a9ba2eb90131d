// What a rank knows of an exchange once the notify has ended: DeepEP's handle. A dispatch fills in
// the rest; combine, and the dispatch of gradients in the backward pass, use it again.
//
// All arrays are the rank's own. Streams are what a channel's forwarders see: (node n, channel c)
// is the tokens of the rank of the same local on node n that need any GPU of this node.
//
//   reach[token][node]             GPUs of that node the token goes to, a bit each
//   stream_rows, stream_base[n][c] rows of a stream; where it begins in stream_locals
//   row_rows, row_base[home][c]    rows this rank receives of a rank's channel; where they begin in
//                                  its output: sorted by home and then by token, whatever the
//                                  timing
//   expert_rows[e]                 choices of the rank's e-th expert, rounded up to the alignment
//   totals                         {rows received, rows of all streams}
//   stream_locals, stream_tokens   of each row of a stream: GPUs of this node, token at home
//                                  (written by dispatch)
//
// Example: 2 nodes x 2, one channel, and rank 0's two tokens go to ranks {0, 3} and {2, 3}: reach =
// {{01, 10}, {00, 11}}; ranks 2 and 3 see the stream of node 0 through rank 2, rows {10, 11}, and
// rank 3 receives two rows of home 0.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/exchange/config.h"
#include "kernels/target.h"

namespace pipescope::kernels::exchange {

struct Plan {
  uint8_t* reach = nullptr;
  int32_t* stream_rows = nullptr;
  int32_t* stream_base = nullptr;
  int32_t* row_rows = nullptr;
  int32_t* row_base = nullptr;
  int32_t* expert_rows = nullptr;
  int32_t* totals = nullptr;
  uint8_t* stream_locals = nullptr;
  int32_t* stream_tokens = nullptr;
};

// Cuts one block of memory, aligned to 16, into a plan; returns its size, also for `block` null.
inline int64_t MakePlan(const Config& g, std::byte* block, Plan* plan) {
  int64_t at = 0;
  const auto take = [&](auto** array, int64_t count) {
    using Value = std::remove_reference_t<decltype(**array)>;
    if (block != nullptr) *array = reinterpret_cast<Value*>(block + at);
    at = AlignUp(at + count * static_cast<int64_t>(sizeof(Value)), 16);
  };
  const int64_t most = int64_t{g.tokens} * g.nodes;
  take(&plan->reach, most);
  take(&plan->stream_rows, g.nodes * g.channels());
  take(&plan->stream_base, g.nodes * g.channels());
  take(&plan->row_rows, g.ranks() * g.channels());
  take(&plan->row_base, g.ranks() * g.channels());
  take(&plan->expert_rows, g.experts_of_rank());
  take(&plan->totals, 2);
  take(&plan->stream_locals, most);
  take(&plan->stream_tokens, most);
  return at;
}

// Which token of which rank a received row is.
struct Source {
  int32_t home = 0;
  int32_t token = 0;
};

// One rank's part of an exchange: its sizes, its place, its arrays.
//
// `values` and `scales` of dispatch are [tokens][...] in and [rows][...] out; `experts` (global
// ids, -1 for none) and `weights` [tokens][selected]. Out, `experts` are ids within the rank, -1
// for those of others, whose weight is 0. The dispatch of gradients has neither.
// Combine takes BF16 rows in the order of dispatch's output and returns one a token; its weights,
// [rows][selected] and [tokens][selected], are summed as they are.
struct Rank {
  Config config;
  int node = 0;
  int local = 0;
  int tokens = 0;
  Plan plan;
  bool with_experts = false;  // expert ids and weights travel with dispatch's rows
  bool with_weights = false;  // weights travel with combine's

  struct {
    const std::byte* values = nullptr;
    const float* scales = nullptr;
    const int32_t* experts = nullptr;
    const float* weights = nullptr;
  } in;
  struct {
    std::byte* values = nullptr;
    float* scales = nullptr;
    int32_t* experts = nullptr;
    float* weights = nullptr;
    Source* sources = nullptr;
  } out;
  struct {
    const std::byte* values = nullptr;
    const float* weights = nullptr;
    std::byte* sums = nullptr;
    float* weight_sums = nullptr;
  } back;

  PIPESCOPE_BOTH int First(int channel) const { return config.FirstToken(channel, tokens); }
  PIPESCOPE_BOTH int Reach(int token, int n) const {
    return plan.reach[int64_t{token} * config.nodes + n];
  }
};

}  // namespace pipescope::kernels::exchange
