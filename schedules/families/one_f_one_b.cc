// 1F1B: a few forwards to fill the pipeline, then one forward and one backward in turn.
//
//   rank r, w = min(m, p-1-r):  F0 .. F(w-1)  [F(w+k) B(k)] for k = 0 .. m-w-1  B(m-w) .. B(m-1)
//
// Each rank keeps only as many micro-batches as there are stages from it to the end. The latency of
// a hop is paid once per p micro-batches, since no more than p are on the way: for m a multiple of
// p the makespan is (m+p-1)(F+B) + (2(p-1)(m/p+1) - 2) comm.
//
// Example, 2 ranks, 3 micro-batches: 0F0 0F1 0B0 0F2 0B1 0B2 | 1F0 1B0 1F1 1B1 1F2 1B2.
// Source: Narayanan et al., "PipeDream-Flush", arXiv 2006.09503; Megatron-LM, arXiv 2104.04473.
#include "schedules/families/warm_up.h"
#include "schedules/family.h"

namespace pipescope::schedules {
namespace {

Result<Schedule> GenerateOneFOneB(const Options& options) {
  return AlternateAfterWarmUp("1f1b", options, 1);
}

std::optional<double> ExactBubble(const Options& options, const Costs& costs) {
  if (!costs.Uniform() || costs.comm != 0) return {};
  return static_cast<double>(options.ranks - 1) * (costs.Forward(0) + costs.Backward(0));
}

}  // namespace

Family OneFOneBFamily() {
  return {
      .name = "1f1b",
      .aliases = {},
      .summary = "one forward, one backward in turn after a short warm-up",
      .reference = "PipeDream-Flush, arXiv 2006.09503; Megatron-LM, arXiv 2104.04473",
      .constraints = "none",
      .options = "--ranks, --microbatches",
      .bubble = "(p-1)(F+B)",
      .bubble_exact_when = "stages cost the same and comm = 0",
      .peak_activations = "min(m, p-r) on rank r",
      .parameter_copies = 1,
      .chunks = 1,
      .generate = GenerateOneFOneB,
      .exact_bubble = ExactBubble,
  };
}

}  // namespace pipescope::schedules
