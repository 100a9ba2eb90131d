// Eager 1F1B: 1F1B with twice the warm-up, so that messages travel while the rank computes.
//
//   rank r, w = min(m, 2(p-1-r)):  F0 .. F(w-1)  [F(w+k) B(k)] for k = 0 .. m-w-1  B(m-w) .. B(m-1)
//
// A forward is run one round trip earlier than 1F1B would, so that the latency c of a hop is paid
// once down and once up, however many micro-batches there are: while a round trip takes no longer
// than a forward and a backward (2c <= F+B), the makespan is (m+p-1)(F+B) + 2(p-1)c. The price is
// up to twice the activations. Beyond that the warm-up is too short: 2 ranks, m = 4, F = 10, B = 20
// and c = 16 take 184 and not 182.
//
// Example, 2 ranks, 3 micro-batches: 0F0 0F1 0F2 0B0 0B1 0B2 | 1F0 1B0 1F1 1B1 1F2 1B2.
// Source: Zhuang et al., "On Optimizing the Communication of Model Parallelism", arXiv 2211.05322.
#include "schedules/families/warm_up.h"
#include "schedules/family.h"

namespace pipescope::schedules {
namespace {

Result<Schedule> GenerateEager(const Options& options) {
  return AlternateAfterWarmUp("eager-1f1b", options, 2);
}

std::optional<double> Bubble(const Options& options, const Costs& costs) {
  const double round = costs.Forward(0) + costs.Backward(0);
  if (!costs.Uniform() || 2 * costs.comm > round) return {};
  return static_cast<double>(options.ranks - 1) * (round + 2 * costs.comm);
}

}  // namespace

Family EagerOneFOneBFamily() {
  return {
      .name = "eager-1f1b",
      .aliases = {},
      .summary = "1f1b with twice the warm-up: the latency of hops is hidden, for more memory",
      .reference = "On Optimizing the Communication of Model Parallelism, arXiv 2211.05322",
      .constraints = "none",
      .options = "--ranks, --microbatches",
      .bubble = "(p-1)(F+B+2 comm)",
      .bubble_exact_when = "stages cost the same and 2 comm <= F+B",
      .peak_activations = "min(m, 2(p-1-r)+1) on rank r",
      .parameter_copies = 1,
      .chunks = 1,
      .generate = GenerateEager,
      .exact_bubble = Bubble,
  };
}

}  // namespace pipescope::schedules
