// GPipe: all forwards, then all backwards, both in the order of the micro-batches.
//
//   rank r:  F0 .. F(m-1)  B0 .. B(m-1)
//
// Example, 2 ranks, 2 micro-batches: 0F0 0F1 0B0 0B1 | 1F0 1F1 1B0 1B1.
// Source: Huang et al., "GPipe", arXiv 1811.06965.
#include "schedules/family.h"

namespace pipescope::schedules {
namespace {

Result<Schedule> GenerateGPipe(const Options& options) {
  Schedule schedule = EmptySchedule("gpipe", options, static_cast<int>(options.ranks));
  for (int rank = 0; rank < schedule.ranks; ++rank) {
    auto& order = schedule.actions[static_cast<size_t>(rank)];
    order.reserve(2 * static_cast<size_t>(schedule.microbatches));
    for (const ActionKind kind : {ActionKind::kForward, ActionKind::kBackward}) {
      for (int m = 0; m < schedule.microbatches; ++m) order.push_back(Make(kind, rank, m));
    }
  }
  return schedule;
}

std::optional<double> ExactBubble(const Options& options, const Costs& costs) {
  if (!costs.Uniform() || costs.comm != 0) return {};
  return static_cast<double>(options.ranks - 1) * (costs.Forward(0) + costs.Backward(0));
}

}  // namespace

Family GPipeFamily() {
  return {
      .name = "gpipe",
      .aliases = {},
      .summary = "all forwards, then all backwards",
      .reference = "GPipe, arXiv 1811.06965",
      .constraints = "none",
      .options = "--ranks, --microbatches",
      .bubble = "(p-1)(F+B)",
      .bubble_exact_when = "stages cost the same and comm = 0",
      .peak_activations = "m",
      .parameter_copies = 1,
      .chunks = 1,
      .generate = GenerateGPipe,
      .exact_bubble = ExactBubble,
  };
}

}  // namespace pipescope::schedules
