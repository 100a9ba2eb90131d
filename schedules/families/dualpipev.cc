// DualPipeV: DualPipe cut in half. The pipeline goes down the ranks and comes back up as a V, and
// what were the two directions are the two legs, so that no stage exists twice.
//
// Rank r of p holds stages r and 2p-1-r; the turn, on rank p-1, needs no message, and loss and
// input are both on rank 0. The order is that of families/dualpipe_order.h with H = p, h = r and n
// = m: it equals ranks 0 .. p-1 of DualPipe with 2p ranks and 2m micro-batches.
//
// Example, 1 rank, 2 micro-batches: 0F0 1F0 0F1 1B0 (1F1;0B0)OVERLAP_F_B 1B1 0I1 0W1.
// Source: Sea AI Lab, "cut-in-half", and github.com/deepseek-ai/DualPipe.
#include <fmt/format.h>

#include "schedules/families/dualpipe_order.h"
#include "schedules/family.h"

namespace pipescope::schedules {
namespace {

Result<Schedule> GenerateDualPipeV(const Options& options) {
  if (options.microbatches < 2 * options.ranks) {
    return BadOption("--microbatches", options.microbatches,
                     fmt::format("dualpipev needs at least twice the ranks: {} for {} ranks",
                                 2 * options.ranks, options.ranks));
  }
  Schedule schedule = EmptySchedule("dualpipev", options, 2 * static_cast<int>(options.ranks));
  for (int rank = 0; rank < schedule.ranks; ++rank) {
    schedule.actions[static_cast<size_t>(rank)] =
        DualPipeOrder({.half_ranks = schedule.ranks,
                       .half_rank = rank,
                       .microbatches = schedule.microbatches,
                       .near = {rank, 0},
                       .far = {schedule.stages - 1 - rank, 0}});
  }
  return schedule;
}

std::optional<double> ExactBubble(const Options& options, const Costs& costs) {
  return DualPipeBubble(options.ranks, costs);
}

}  // namespace

Family DualPipeVFamily() {
  return {
      .name = "dualpipev",
      .aliases = {},
      .summary = "dualpipe cut in half: a V of two stages a rank, forward and backward overlapped",
      .reference = "Sea AI Lab, \"cut-in-half\"; github.com/deepseek-ai/DualPipe",
      .constraints = "microbatches at least 2 x ranks",
      .options = "--ranks, --microbatches",
      .bubble = "(p-1)(FB+B-3W)",
      .bubble_exact_when =
          "F = I = W at every stage, 2F <= FB <= 3F and comm = 0; of the longest-waiting rank",
      .peak_activations = "2p+1",
      .parameter_copies = 1,
      .chunks = 2,
      .generate = GenerateDualPipeV,
      .exact_bubble = ExactBubble,
  };
}

}  // namespace pipescope::schedules
