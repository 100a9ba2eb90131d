// ZBV-auto: zero bubble on a V of two stages a rank, made for the costs of the stages, the hop's
// latency and a memory limit.
//
// Rank r of p holds stages r and 2p-1-r. The shortest of a fixed list of orders: the hand-made
// ZB-V, V-Half, V-Min and 1F1B-V where they fit, the paper's automatic waves with their switches
// and fills of every size, and greedy ones over many rules (schedules/optimize). So it is never
// longer than those. What is short is the span, or the makespan where the profile asks for that.
//
// The limit counts in activations of one chunk, of which I frees half and W the other, unless the
// profile says otherwise; 2p, ZB-V's own, where none is given. There is no closed form.
//
// Example, 1 rank, 1 micro-batch: 0F0 1F0 1B0 0B0.
// Source: Qi et al., arXiv 2401.10241v2, section 6, and "Pipeline Parallelism with Controllable
// Memory", arXiv 2405.15362. The list of greedy rules is ours.
#include "schedules/families/automatic.h"
#include "schedules/family.h"

namespace pipescope::schedules {

Family ZbvFamily();
Family VHalfFamily();
Family VMinFamily();
Family OneFOneBVFamily();

namespace {

Result<Schedule> GenerateZbvAuto(const Options& options) {
  auto problem = ProblemOf(options, Placement::kV, 2 * static_cast<double>(options.ranks));
  if (!problem) return Fail(problem.error());
  return MakeAutomatic("zbv-auto", *problem,
                       {ZbvFamily(), VHalfFamily(), VMinFamily(), OneFOneBVFamily()});
}

}  // namespace

Family ZbvAutoFamily() {
  return {
      .name = "zbv-auto",
      .aliases = {},
      .summary = "zero bubble on a V, made for the given costs, hop time and memory limit",
      .reference =
          "arXiv 2401.10241v2, section 6; Controllable Memory, arXiv 2405.15362 (automatic ZB-V)",
      .constraints = "ranks x microbatches at most 349525; a limit of at least 2",
      .options = "--ranks, --microbatches, --memory-limit (default: twice the ranks), --cost",
      .bubble = "no closed form",
      .bubble_exact_when = "never; not longer than zbv, v-half and v-min where they fit in memory",
      .peak_activations = "within --memory-limit, I and W each freeing half",
      .parameter_copies = 1,
      .chunks = 2,
      .bubble_kind = BubbleKind::kSpan,
      .automatic = true,
      .generate = GenerateZbvAuto,
  };
}

}  // namespace pipescope::schedules
