// V-Min: zero bubble on a V in a third of the memory of 1F1B, with more waits.
//
// The building block (families/building_block.h), with D = 2 where 3 divides p, else 0: rank r runs
//
//   F down in slot r;  F up in 2p-1-r;  I up in 2p+D+r;  I down in 4p+D-1-r
//
// so that a micro-batch goes down and up the V and back without a stop. The highest peak of a rank
// is floor((p+4)/3) micro-batches of its two chunks. It suits equal F, I and W: 4 ranks, m = 8 wait
// 11 of 59 with F = I = W = 1, but 144 of 384 with F = 5, I = 6, W = 4 and c = 1.
//
// Example, 1 rank, 2 micro-batches: 0F0 1F0 1I0 0I0 1W0 0W0 0F1 1F1 1I1 0I1 1W1 0W1.
// Source: Qi et al., "Pipeline Parallelism with Controllable Memory", arXiv 2405.15362.
#include "schedules/families/building_block.h"
#include "schedules/family.h"

namespace pipescope::schedules {
namespace {

Result<Schedule> GenerateVMin(const Options& options) {
  if (auto ok = CheckBlockRanks("v-min", options); !ok) return Fail(ok.error());
  Schedule schedule = EmptySchedule("v-min", options, 2 * static_cast<int>(options.ranks));
  const int p = schedule.ranks;
  const int delay = p % 3 == 0 ? 2 : 0;
  std::vector<BlockSlots> block;
  for (int r = 0; r < p; ++r) {
    block.push_back({r, 2 * p - 1 - r, 2 * p + delay + r, 4 * p + delay - 1 - r});
  }
  schedule.actions = OrdersFromBlock(block, schedule.microbatches);
  return schedule;
}

}  // namespace

Family VMinFamily() {
  return {
      .name = "v-min",
      .aliases = {},
      .summary = "a V of two stages a rank in a third of the memory of 1f1b, with more waits",
      .reference = "Pipeline Parallelism with Controllable Memory, arXiv 2405.15362",
      .constraints = "at most 1024 ranks",
      .options = "--ranks, --microbatches",
      .bubble = "no closed form is known; it grows with m unless F, I and W are equal",
      .bubble_exact_when = "never: it is found by moving actions, not by a formula",
      .peak_activations = "at most 2 floor((p+4)/3)",
      .parameter_copies = 1,
      .chunks = 2,
      .generate = GenerateVMin,
      .exact_bubble = nullptr,
  };
}

}  // namespace pipescope::schedules
