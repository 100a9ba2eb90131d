// Interleaved 1F1B (virtual pipeline): v stages a rank in a loop, 1F1B over chunks.
//
// With the numbering of families/looping.h, rank r runs
//
//   w = min(vm, (v-1)G + 2(p-1-r))
//   forwards 0 .. w-1;  [forward w+k, backward k] for k = 0 .. vm-w-1;  the remaining backwards
//
// The bubble is 1F1B's in chunks, thus v times smaller; messages are v times as many, and the
// activations of the first rank grow to (v-1)G + 2p-1 chunks. Two variants choose the group G:
//
//   megatron  G = p; m must be a multiple of p
//   flex      G = m / max(1, m div p), PyTorch's: m = 10 on 4 ranks runs two groups of 5
//
// A hop between ranks of c costs 2 (p v - 1) c in all, however many micro-batches there are.
// With v = 1 it is eager 1F1B, whose warm-up is twice 1F1B's. The published bubble asks G >= p; a
// counter-example, evaluated: flex with 4 ranks, v = 2 and m = 2 has G = 2, and with F = 1, B = 2
// its bubble is 15 and not 9.
//
// Example, 2 ranks, v = 2, 2 micro-batches, rank 1: 1F0 1F1 3F0 3B0 3F1 3B1 1B0 1B1.
// Source: Narayanan et al., Megatron-LM, arXiv 2104.04473; flex: torch.distributed.pipelining.
#include <algorithm>

#include "schedules/families/looping.h"

namespace pipescope::schedules {
namespace {

constexpr const char* kName = "interleaved-1f1b";

Result<Schedule> GenerateInterleaved(const Options& options) {
  const auto loop =
      options.variant == "flex" ? LoopingByRounds(kName, options) : LoopingByRanks(kName, options);
  if (!loop) return Fail(loop.error());
  Schedule schedule = EmptySchedule(kName, options, loop->ranks * loop->chunks);
  for (int rank = 0; rank < loop->ranks; ++rank) {
    auto& order = schedule.actions[static_cast<size_t>(rank)];
    order.reserve(2 * static_cast<size_t>(loop->Total()));
    const int warmup =
        std::min(loop->Total(), (loop->chunks - 1) * loop->group + 2 * (loop->ranks - 1 - rank));
    int forwards = 0;
    while (forwards < warmup) order.push_back(loop->Forward(rank, forwards++));
    for (int k = 0; k < loop->Total(); ++k) {
      if (forwards < loop->Total()) order.push_back(loop->Forward(rank, forwards++));
      order.push_back(loop->Backward(ActionKind::kBackward, rank, k));
    }
  }
  return schedule;
}

std::optional<double> Bubble(const Options& options, const Costs& costs) {
  if (!UniformAndFree(costs) || options.microbatches < options.ranks) return {};
  return OtherRanks(options) * (costs.Forward(0) + costs.Backward(0));
}

}  // namespace

Family InterleavedOneFOneBFamily() {
  return {
      .name = kName,
      .aliases = {},
      .summary = "1f1b over v stages a rank in a loop: a v times smaller bubble, more messages",
      .reference = "Megatron-LM, arXiv 2104.04473; flex: torch.distributed.pipelining",
      .constraints = "microbatches a multiple of ranks; flex: of max(1, m div p)",
      .options = "--ranks, --microbatches, --chunks, --variant",
      .bubble = "(p-1)(F+B)",
      .bubble_exact_when = "m >= p, stages cost the same and comm = 0",
      .peak_activations = "min(vm, (v-1)G + 2(p-1-r) + 1) on rank r, groups of G = p or flex's",
      .parameter_copies = 1,
      .chunks = 2,
      .least_chunks = 1,
      .variants = {"megatron", "flex"},
      .generate = GenerateInterleaved,
      .exact_bubble = Bubble,
  };
}

}  // namespace pipescope::schedules
