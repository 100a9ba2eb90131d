// Combined 1F1B: interleaved 1F1B in which a forward and a backward of different micro-batches run
// as one overlapped pair, so that one computes while the other exchanges tokens with the experts.
//
// With the numbering of families/looping.h and groups of p, rank r runs
//
//   w = min(vm, (v-1)p + 2(p-1-r) + 1)
//   forwards 0 .. w-1;  [forward w+k & backward k] for k = 0 .. vm-w-1;  the remaining backwards
//
// That is Megatron's interleaved order with one forward more before the first backward. Without it
// the two halves of a pair on the last rank would be of the same micro-batch, one waiting for the
// other; it costs the activations of one chunk. A pair that hides nothing (FB = F+B) leaves the
// interleaved bubble as it is.
//
// Example, 1 rank, 1 stage, 3 micro-batches: 0F0 (0F1;0B0)OVERLAP_F_B (0F2;0B1)OVERLAP_F_B 0B2.
// Source: Megatron-Core, the overlap of expert-parallel communication (combined_1f1b).
#include <algorithm>

#include "schedules/families/looping.h"

namespace pipescope::schedules {
namespace {

constexpr const char* kName = "combined-1f1b";

Result<Schedule> GenerateCombined(const Options& options) {
  if (options.ranks > 1 && *options.chunks < 2) {
    return BadOption("--chunks", *options.chunks,
                     "combined-1f1b interleaves: expected at least 2, or one rank");
  }
  const auto loop = LoopingByRanks(kName, options);
  if (!loop) return Fail(loop.error());
  Schedule schedule = EmptySchedule(kName, options, loop->ranks * loop->chunks);
  for (int rank = 0; rank < loop->ranks; ++rank) {
    auto& order = schedule.actions[static_cast<size_t>(rank)];
    order.reserve(2 * static_cast<size_t>(loop->Total()));
    const int warmup = std::min(
        loop->Total(), (loop->chunks - 1) * loop->group + 2 * (loop->ranks - 1 - rank) + 1);
    for (int n = 0; n < warmup; ++n) order.push_back(loop->Forward(rank, n));
    for (int k = 0; k < loop->Total(); ++k) {
      const Action backward = loop->Backward(ActionKind::kBackward, rank, k);
      if (warmup + k >= loop->Total()) {
        order.push_back(backward);
        continue;
      }
      const Action forward = loop->Forward(rank, warmup + k);
      order.push_back(MakePair(forward.stage.value(), forward.microbatch.value(),
                               backward.stage.value(), backward.microbatch.value()));
    }
  }
  return schedule;
}

std::optional<double> Bubble(const Options& options, const Costs& costs) {
  const double both = costs.Forward(0) + costs.Backward(0);
  if (!UniformAndFree(costs) || costs.Overlapped(0, 0) != both) return {};
  return OtherRanks(options) * both;
}

}  // namespace

Family CombinedOneFOneBFamily() {
  return {
      .name = kName,
      .aliases = {},
      .summary = "interleaved 1f1b whose steady state is overlapped pairs of forward and backward",
      .reference = "Megatron-Core, combined 1F1B for expert-parallel overlap",
      .constraints = "microbatches a multiple of ranks; at least 2 chunks, or one rank",
      .options = "--ranks, --microbatches, --chunks",
      .bubble = "(p-1)(F+B)",
      .bubble_exact_when = "FB = F+B, stages cost the same and comm = 0",
      .peak_activations = "min(vm, (v-1)p + 2(p-1-r) + 2) on rank r",
      .parameter_copies = 1,
      .chunks = 2,
      .least_chunks = 1,
      .generate = GenerateCombined,
      .exact_bubble = Bubble,
  };
}

}  // namespace pipescope::schedules
