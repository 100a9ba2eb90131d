// Seq1F1B: 1F1B over slices of sequences. A sequence is cut into k slices that follow each other
// through the pipeline; causal attention lets a slice begin when the ones before it have gone by.
//
// A slice counts as a micro-batch of its own: slice q of sequence b is number bk+q, so that the
// schedule has mk micro-batches, and costs are per slice. With N = mk, rank r runs
//
//   w = min(N, p-r-2+k)
//   F0 .. F(w-1);  [F(w+i) B(i')] for i = 0 .. N-w-1;  the remaining B(i'),
//
// where i' is number i with the slices of each sequence reversed (bk + k-1-q): the gradient of
// attention's keys and values needs the later slices first. That the slices of a sequence wait for
// each other on every rank follows from this order, so that it needs no dependency of its own.
//
// The bubble is 1F1B's, k times smaller, for slices of equal cost. They are not of equal cost where
// slices have the same length, since later ones attend to more; the paper cuts them unevenly.
//
// Example, 2 ranks, 2 sequences of 2 slices, rank 0: 0F0 0F1 0F2 0B1 0F3 0B0 0B3 0B2.
// Source: Sun et al., "Seq1F1B", arXiv 2406.03488; the order as in
// github.com/sail-sg/zero-bubble-pipeline-parallelism.
#include <algorithm>

#include "schedules/family.h"

namespace pipescope::schedules {
namespace {

Result<Schedule> GenerateSeqOneFOneB(const Options& options) {
  const int slices = static_cast<int>(*options.slices);
  Schedule schedule = EmptySchedule("seq1f1b", options, static_cast<int>(options.ranks));
  schedule.microbatches *= slices;
  schedule.slices = slices;
  const int n = schedule.microbatches;
  for (int rank = 0; rank < schedule.ranks; ++rank) {
    auto& order = schedule.actions[static_cast<size_t>(rank)];
    order.reserve(2 * static_cast<size_t>(n));
    int forwards = 0;
    const auto forward = [&] { order.push_back(Make(ActionKind::kForward, rank, forwards++)); };
    while (forwards < std::min(n, schedule.ranks - rank - 2 + slices)) forward();
    for (int i = 0; i < n; ++i) {
      if (forwards < n) forward();
      const int reversed = i / slices * slices + slices - 1 - i % slices;
      order.push_back(Make(ActionKind::kBackward, rank, reversed));
    }
  }
  return schedule;
}

std::optional<double> Bubble(const Options& options, const Costs& costs) {
  if (!UniformAndFree(costs)) return {};
  return static_cast<double>(options.ranks - 1) * (costs.Forward(0) + costs.Backward(0));
}

}  // namespace

Family SeqOneFOneBFamily() {
  return {
      .name = "seq1f1b",
      .aliases = {},
      .summary = "1f1b over slices of sequences: a k times smaller bubble and less memory",
      .reference = "Seq1F1B, arXiv 2406.03488",
      .constraints = "causal attention; a slice counts as a micro-batch, costs are per slice",
      .options = "--ranks, --microbatches, --slices",
      .bubble = "(p-1)(F+B)",
      .bubble_exact_when = "slices and stages cost the same and comm = 0",
      .peak_activations = "min(mk, p-r+k-1) slices on rank r",
      .parameter_copies = 1,
      .chunks = 1,
      .slices = 2,
      .generate = GenerateSeqOneFOneB,
      .exact_bubble = Bubble,
  };
}

}  // namespace pipescope::schedules
