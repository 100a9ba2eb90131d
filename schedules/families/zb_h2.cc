// ZB-H2: ZB-H1 with twice the warm-up and twice the weight gradients held back, so that a rank,
// once begun, hardly waits: the bubble moves from inside the step to before its first action.
//
//   rank r:  F0 .. F(2(p-1-r)-1)
//            for i = 0 .. m-1:  the next F, if any is left;  I(i);  the next W, once i >= 2r
//            the remaining W's
//
// Its bubble is told of the span (a rank's own first start to last end), since ranks begin and end
// the step at different times. That saves time only where nothing holds the ranks together at the
// step's end: the makespan's bubble is larger (4 ranks, m = 8, F = 10, I = 12, W = 8, c = 1: 33,
// while the span's is 24). A latency c adds 2(p-1)c while a round trip takes no longer than F+I.
//
// Example, 2 ranks, 4 micro-batches: 0F0 0F1 0F2 0I0 0W0 0F3 0I1 0W1 0I2 0W2 0I3 0W3 |
// 1F0 1I0 1F1 1I1 1F2 1I2 1W0 1F3 1I3 1W1 1W2 1W3.
// Source: Qi et al., "Zero Bubble Pipeline Parallelism", arXiv 2401.10241, the hand-made schedule.
#include <fmt/format.h>

#include "schedules/families/warm_up.h"
#include "schedules/family.h"

namespace pipescope::schedules {
namespace {

Result<Schedule> GenerateZbH2(const Options& options) {
  if (options.microbatches < 2 * options.ranks) {
    return BadOption("--microbatches", options.microbatches,
                     fmt::format("zb-h2 needs at least twice the ranks: {} for {} ranks",
                                 2 * options.ranks, options.ranks));
  }
  return HoldBackWeights("zb-h2", options, 2);
}

std::optional<double> SpanBubble(const Options& options, const Costs& costs) {
  // A weight gradient longer than what it stands beside delays the micro-batches behind it.
  const double forward = costs.Forward(0), input = costs.InputGrad(0), c = costs.comm;
  const double weight = costs.WeightGrad(0);
  if (!costs.Uniform() || weight > forward || weight > input || 2 * c > forward + input) return {};
  return static_cast<double>(options.ranks - 1) * (forward + input + 2 * c - 2 * weight);
}

}  // namespace

Family ZbH2Family() {
  return {
      .name = "zb-h2",
      .aliases = {},
      .summary = "zb-h1 with twice the warm-up: next to no waits once begun, twice the memory",
      .reference = "Zero Bubble Pipeline Parallelism, arXiv 2401.10241",
      .constraints = "microbatches at least 2 x ranks",
      .options = "--ranks, --microbatches",
      .bubble = "(p-1)(F+I+2 comm-2W)",
      .bubble_exact_when = "W <= F, W <= I, 2 comm <= F+I and stages cost the same",
      .peak_activations = "2p-1",
      .parameter_copies = 1,
      .chunks = 1,
      .bubble_kind = BubbleKind::kSpan,
      .generate = GenerateZbH2,
      .exact_bubble = SpanBubble,
  };
}

}  // namespace pipescope::schedules
