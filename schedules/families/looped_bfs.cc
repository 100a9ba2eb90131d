// Looped breadth-first: v stages a rank in a loop; a rank runs all micro-batches of one stage
// before it turns to the next.
//
//   rank r, stage = chunk x p + r:
//     for chunk = 0 .. v-1:  F0 .. F(m-1);   for chunk = v-1 .. 0:  B(m-1) .. B0
//
// The weights of a stage are needed in one stretch, which suits sharded data parallelism: they are
// gathered once a stage and pass. The price is the memory of all micro-batches.
//
// The published bubble asks m >= p. Counter-example (evaluated): 4 ranks, v = 2 and m = 2 with F =
// 1, B = 2 have a bubble of 15 and not 9.
//
// Example, 2 ranks, v = 2, 2 micro-batches, rank 0: 0F0 0F1 2F0 2F1 2B1 2B0 0B1 0B0.
// Source: Lamy-Poirier, "Breadth-First Pipeline Parallelism", arXiv 2211.05953; the order of the
// backwards as in torch.distributed.pipelining.
#include "schedules/families/looping.h"

namespace pipescope::schedules {
namespace {

Result<Schedule> GenerateLoopedBfs(const Options& options) {
  const int ranks = static_cast<int>(options.ranks), chunks = static_cast<int>(*options.chunks);
  Schedule schedule = EmptySchedule("looped-bfs", options, ranks * chunks);
  const int m = schedule.microbatches;
  for (int rank = 0; rank < ranks; ++rank) {
    auto& order = schedule.actions[static_cast<size_t>(rank)];
    order.reserve(2 * static_cast<size_t>(chunks) * static_cast<size_t>(m));
    for (int stage = rank; stage < schedule.stages; stage += ranks) {
      for (int i = 0; i < m; ++i) order.push_back(Make(ActionKind::kForward, stage, i));
    }
    for (int stage = schedule.stages - ranks + rank; stage >= 0; stage -= ranks) {
      for (int i = m - 1; i >= 0; --i) order.push_back(Make(ActionKind::kBackward, stage, i));
    }
  }
  return schedule;
}

std::optional<double> Bubble(const Options& options, const Costs& costs) {
  if (!UniformAndFree(costs)) return {};
  if (options.microbatches<options.ranks&& * options.chunks> 1) return {};
  return OtherRanks(options) * (costs.Forward(0) + costs.Backward(0));
}

}  // namespace

Family LoopedBfsFamily() {
  return {
      .name = "looped-bfs",
      .aliases = {},
      .summary = "v stages a rank in a loop, each run for all micro-batches at a stretch",
      .reference = "Breadth-First Pipeline Parallelism, arXiv 2211.05953",
      .constraints = "none",
      .options = "--ranks, --microbatches, --chunks",
      .bubble = "(p-1)(F+B)",
      .bubble_exact_when = "m >= p (or v = 1), stages cost the same and comm = 0",
      .peak_activations = "vm",
      .parameter_copies = 1,
      .chunks = 2,
      .least_chunks = 1,
      .generate = GenerateLoopedBfs,
      .exact_bubble = Bubble,
  };
}

}  // namespace pipescope::schedules
