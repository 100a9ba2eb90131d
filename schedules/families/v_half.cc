// V-Half: zero bubble on a V in half of the memory of 1F1B.
//
// The building block (families/building_block.h), with D = 3 where p is even, else 0: rank r runs
//
//   F down in slot 2r;  F up in 3p-2-r;  I up in 3p+D-1+2r;  I down in 6p+D-2-r
//
// The way away from rank 0 takes two slots a rank and the way back one. The highest peak of a rank
// is floor((p+2)/2) micro-batches of its two chunks. For 4 ranks, m = 16 and F = I = W = 1 a rank
// waits 5 of 101; the published "about half of 1F1B's" is a comparison, not a formula.
//
// Example, 1 rank, 2 micro-batches: 0F0 1F0 1I0 1W0 0I0 0W0 0F1 1F1 1I1 0I1 1W1 0W1.
// Source: Qi et al., "Pipeline Parallelism with Controllable Memory", arXiv 2405.15362.
#include "schedules/families/building_block.h"
#include "schedules/family.h"

namespace pipescope::schedules {
namespace {

Result<Schedule> GenerateVHalf(const Options& options) {
  if (auto ok = CheckBlockRanks("v-half", options); !ok) return Fail(ok.error());
  Schedule schedule = EmptySchedule("v-half", options, 2 * static_cast<int>(options.ranks));
  const int p = schedule.ranks;
  const int delay = p % 2 == 0 ? 3 : 0;
  std::vector<BlockSlots> block;
  for (int r = 0; r < p; ++r) {
    block.push_back({2 * r, 3 * p - 2 - r, 3 * p + delay - 1 + 2 * r, 6 * p + delay - 2 - r});
  }
  schedule.actions = OrdersFromBlock(block, schedule.microbatches);
  return schedule;
}

}  // namespace

Family VHalfFamily() {
  return {
      .name = "v-half",
      .aliases = {},
      .summary = "a V of two stages a rank in half of the memory of 1f1b",
      .reference = "Pipeline Parallelism with Controllable Memory, arXiv 2405.15362",
      .constraints = "at most 1024 ranks",
      .options = "--ranks, --microbatches",
      .bubble = "no closed form is known; about half of that of 1f1b",
      .bubble_exact_when = "never: it is found by moving actions, not by a formula",
      .peak_activations = "at most 2 floor((p+2)/2)",
      .parameter_copies = 1,
      .chunks = 2,
      .generate = GenerateVHalf,
      .exact_bubble = nullptr,
  };
}

}  // namespace pipescope::schedules
