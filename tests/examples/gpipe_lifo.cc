// GPipe with its backwards in the reverse order of its forwards: what was saved last is freed
// first.
//
//   rank r:  F0 .. F(m-1)  B(m-1) .. B0
//
// Example, 2 ranks, 2 micro-batches: 0F0 0F1 0B1 0B0 | 1F0 1F1 1B1 1B0.
#include "tests/examples/gpipe_lifo.h"

namespace pipescope::schedules {
namespace {

Result<Schedule> Generate(const Options& options) {
  Schedule schedule = EmptySchedule("gpipe-lifo", options, static_cast<int>(options.ranks));
  for (int rank = 0; rank < schedule.ranks; ++rank) {
    auto& order = schedule.actions[static_cast<size_t>(rank)];
    for (int m = 0; m < schedule.microbatches; ++m) {
      order.push_back(Make(ActionKind::kForward, rank, m));
    }
    for (int m = schedule.microbatches; m-- > 0;) {
      order.push_back(Make(ActionKind::kBackward, rank, m));
    }
  }
  return schedule;
}

// The pipeline fills once with forwards and empties once of backwards.
std::optional<double> ExactBubble(const Options& options, const Costs& costs) {
  if (!UniformAndFree(costs)) return {};
  return static_cast<double>(options.ranks - 1) * (costs.Forward(0) + costs.Backward(0));
}

}  // namespace

Family GPipeLifoFamily() {
  return {
      .name = "gpipe-lifo",
      .aliases = {},
      .summary = "all forwards, then all backwards, the last first",
      .reference = "an example",
      .constraints = "none",
      .options = "--ranks, --microbatches",
      .bubble = "(p-1)(F+B)",
      .bubble_exact_when = "stages cost the same and comm = 0",
      .peak_activations = "m",
      .generate = Generate,
      .exact_bubble = ExactBubble,
  };
}

}  // namespace pipescope::schedules
