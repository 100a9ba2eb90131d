// ZB-auto (the paper's ZB-1p, ZB-2p and all between): the order is made for the costs of the
// stages, the hop's latency and a memory limit, all of which may differ by stage.
//
// The shortest of a fixed list of orders: the paper's rounds with their switches and warm-ups of
// every size, ZB-H1 and ZB-H2 where they fit, 1F1B, greedy ones (schedules/optimize). So it is
// never longer than any of those hand-made ones that fits. What is short is the span, or the
// makespan where the profile asks for that (a step that ends with all ranks together).
//
// The limit counts in activations of one chunk, of which I frees half and W the other, unless the
// profile says otherwise; p (ZB-1p) where none is given, and 2p is ZB-2p. There is no closed form.
//
// Example, 2 ranks, 3 micro-batches, costs 1, limit 2: 0F0 0F1 0I0 0W0 0F2 0I1 0W1 0I2 0W2 |
// 1F0 1I0 1F1 1I1 1W0 1F2 1I2 1W1 1W2.
// Source: Qi et al., "Zero Bubble Pipeline Parallelism", arXiv 2401.10241, section 3.
#include "schedules/families/automatic.h"
#include "schedules/family.h"

namespace pipescope::schedules {

Family ZbH1Family();
Family ZbH2Family();
Family OneFOneBFamily();

namespace {

Result<Schedule> GenerateZbAuto(const Options& options) {
  auto problem = ProblemOf(options, Placement::kLinear, static_cast<double>(options.ranks));
  if (!problem) return Fail(problem.error());
  return MakeAutomatic("zb-auto", *problem, {ZbH1Family(), ZbH2Family(), OneFOneBFamily()});
}

}  // namespace

Family ZbAutoFamily() {
  return {
      .name = "zb-auto",
      .aliases = {},
      .summary = "zero bubble made for the given costs, hop time and memory limit",
      .reference = "Zero Bubble Pipeline Parallelism, arXiv 2401.10241 (ZB-1p, ZB-2p)",
      .constraints = "ranks x microbatches at most 699050; a limit of at least 1",
      .options = "--ranks, --microbatches, --memory-limit (default: the ranks), --cost",
      .bubble = "no closed form",
      .bubble_exact_when = "never; not longer than zb-h1 and zb-h2 where they fit in memory",
      .peak_activations = "within --memory-limit, I and W each freeing half",
      .parameter_copies = 1,
      .chunks = 1,
      .bubble_kind = BubbleKind::kSpan,
      .automatic = true,
      .generate = GenerateZbAuto,
  };
}

}  // namespace pipescope::schedules
