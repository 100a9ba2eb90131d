// ZB-H1: 1F1B with the backward split, so that weight gradients fill the drain of the pipeline.
//
//   rank r:  F0 .. F(p-2-r)
//            for i = 0 .. m-1:  the next F, if any is left;  I(i);  the next W, once i >= r
//            the remaining W's
//
// The rank holds back r weight gradients: as many as it later waits for input gradients. With
// uniform costs and comm = c the makespan grows by 4(p-1)c (as far as waits are not hidden).
//
// Example, 2 ranks, 3 micro-batches: 0F0 0F1 0I0 0W0 0F2 0I1 0W1 0I2 0W2 |
// 1F0 1I0 1F1 1I1 1W0 1F2 1I2 1W1 1W2.
// Source: Qi et al., "Zero Bubble Pipeline Parallelism", arXiv 2401.10241, the hand-made schedule.
#include "schedules/families/warm_up.h"
#include "schedules/family.h"

namespace pipescope::schedules {
namespace {

Result<Schedule> GenerateZbH1(const Options& options) {
  return HoldBackWeights("zb-h1", options, 1);
}

std::optional<double> ExactBubble(const Options& options, const Costs& costs) {
  if (!costs.Uniform() || costs.comm != 0 || options.microbatches < options.ranks) return {};
  // A weight gradient longer than what it stands beside delays the micro-batches behind it.
  const double weight = costs.WeightGrad(0);
  if (weight > costs.Forward(0) || weight > costs.InputGrad(0)) return {};
  return static_cast<double>(options.ranks - 1) * (costs.Forward(0) + costs.InputGrad(0) - weight);
}

}  // namespace

Family ZbH1Family() {
  return {
      .name = "zb-h1",
      .aliases = {"zb1p"},
      .summary = "1f1b with split backwards: weight gradients fill the drain, same memory",
      .reference = "Zero Bubble Pipeline Parallelism, arXiv 2401.10241",
      .constraints = "none",
      .options = "--ranks, --microbatches",
      .bubble = "(p-1)(F+I-W)",
      .bubble_exact_when = "m >= p, W <= F, W <= I, stages cost the same and comm = 0",
      .peak_activations = "min(m, p)",
      .parameter_copies = 1,
      .chunks = 1,
      .generate = GenerateZbH1,
      .exact_bubble = ExactBubble,
  };
}

}  // namespace pipescope::schedules
