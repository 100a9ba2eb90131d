// DualPipe: micro-batches enter at both ends of the pipeline, and forwards of one direction overlap
// with backwards of the other.
//
// Rank r holds stage r for the first half of the micro-batches, which travel from rank 0 to the
// last, and stage p-1-r for the second half, which travel the other way; every stage exists twice.
// The order is that of families/dualpipe_order.h with H = p/2, h = min(r, p-1-r) and n = m/2.
//
// Example, 2 ranks, 4 micro-batches, rank 0: 0F0 1F2 0F1 1B2 (1F3;0B0)OVERLAP_F_B 1B3 0I1 0W1.
// Source: DeepSeek-V3 Technical Report, arXiv 2412.19437; github.com/deepseek-ai/DualPipe.
#include <fmt/format.h>

#include <algorithm>

#include "schedules/families/dualpipe_order.h"
#include "schedules/family.h"

namespace pipescope::schedules {
namespace {

Result<Schedule> GenerateDualPipe(const Options& options) {
  if (options.ranks % 2 != 0) {
    return BadOption("--ranks", options.ranks, "dualpipe needs an even number of ranks");
  }
  if (options.microbatches < 2 * options.ranks) {
    return BadOption("--microbatches", options.microbatches,
                     fmt::format("dualpipe needs at least twice the ranks: {} for {} ranks",
                                 2 * options.ranks, options.ranks));
  }
  if (options.microbatches % 2 != 0) {
    return BadOption("--microbatches", options.microbatches,
                     "dualpipe needs an even number, half for each direction");
  }
  Schedule schedule = EmptySchedule("dualpipe", options, static_cast<int>(options.ranks));
  const int last = schedule.ranks - 1, half = schedule.microbatches / 2;
  for (int rank = 0; rank <= last; ++rank) {
    const DualPipeStream up = {rank, 0}, down = {last - rank, half};
    const bool first_half = rank < last - rank;
    schedule.actions[static_cast<size_t>(rank)] =
        DualPipeOrder({.half_ranks = schedule.ranks / 2,
                       .half_rank = std::min(rank, last - rank),
                       .microbatches = half,
                       .near = first_half ? up : down,
                       .far = first_half ? down : up});
  }
  return schedule;
}

std::optional<double> ExactBubble(const Options& options, const Costs& costs) {
  return DualPipeBubble(options.ranks / 2, costs);
}

}  // namespace

Family DualPipeFamily() {
  return {
      .name = "dualpipe",
      .aliases = {},
      .summary = "two directions at once, forward and backward overlapped",
      .reference = "DeepSeek-V3, arXiv 2412.19437; github.com/deepseek-ai/DualPipe",
      .constraints = "ranks even; microbatches even and at least 2 x ranks",
      .options = "--ranks, --microbatches (of both directions)",
      .bubble = "(p/2-1)(FB+B-3W)",
      .bubble_exact_when =
          "F = I = W at every stage, 2F <= FB <= 3F and comm = 0; of the longest-waiting rank",
      .peak_activations = "p+1",
      .parameter_copies = 2,
      .chunks = 2,
      .generate = GenerateDualPipe,
      .exact_bubble = ExactBubble,
  };
}

}  // namespace pipescope::schedules
