// Interleaved zero bubble: interleaved 1F1B with split backwards and half the extra warm-up.
//
// With the numbering of families/looping.h and PyTorch's groups, rank r runs
//
//   w = min(vm, (v-1)G + p-1-r)
//   forwards 0 .. w-1
//   for k = 0 .. vm-1:  forward w+k, if any is left;  I number k;  the next W, once k >= r
//   the remaining W's
//
// As in ZB-H1 (which it is for v = 1), a rank holds back r weight gradients to fill its waits. All
// ranks hold the same number of activations.
//
// Example, 2 ranks, v = 2, 2 micro-batches, rank 1: 1F0 1F1 3F0 3I0 3F1 3I1 3W0 1I0 3W1 1I1 1W0
// 1W1. Source: torch.distributed.pipelining, ScheduleInterleavedZeroBubble, after arXiv 2401.10241.
#include <algorithm>

#include "schedules/families/looping.h"

namespace pipescope::schedules {
namespace {

constexpr const char* kName = "interleaved-zb";

Result<Schedule> GenerateInterleavedZb(const Options& options) {
  const auto loop = LoopingByRounds(kName, options);
  if (!loop) return Fail(loop.error());
  Schedule schedule = EmptySchedule(kName, options, loop->ranks * loop->chunks);
  for (int rank = 0; rank < loop->ranks; ++rank) {
    auto& order = schedule.actions[static_cast<size_t>(rank)];
    order.reserve(3 * static_cast<size_t>(loop->Total()));
    const int warmup =
        std::min(loop->Total(), (loop->chunks - 1) * loop->group + loop->ranks - 1 - rank);
    int forwards = 0, weights = 0;
    while (forwards < warmup) order.push_back(loop->Forward(rank, forwards++));
    for (int k = 0; k < loop->Total(); ++k) {
      if (forwards < loop->Total()) order.push_back(loop->Forward(rank, forwards++));
      order.push_back(loop->Backward(ActionKind::kInputGrad, rank, k));
      if (k >= rank) order.push_back(loop->Backward(ActionKind::kWeightGrad, rank, weights++));
    }
    while (weights < loop->Total()) {
      order.push_back(loop->Backward(ActionKind::kWeightGrad, rank, weights++));
    }
  }
  return schedule;
}

std::optional<double> Bubble(const Options& options, const Costs& costs) {
  if (!UniformAndFree(costs) || options.microbatches < options.ranks) return {};
  // A weight gradient longer than what it stands beside delays the micro-batches behind it.
  const double weight = costs.WeightGrad(0);
  if (weight > costs.Forward(0) || weight > costs.InputGrad(0)) return {};
  return OtherRanks(options) * (costs.Forward(0) + costs.InputGrad(0) - weight);
}

}  // namespace

Family InterleavedZbFamily() {
  return {
      .name = kName,
      .aliases = {},
      .summary = "interleaved 1f1b with split backwards that fill the drain",
      .reference = "torch.distributed.pipelining, after Zero Bubble, arXiv 2401.10241",
      .constraints = "microbatches a multiple of max(1, m div p)",
      .options = "--ranks, --microbatches, --chunks",
      .bubble = "(p-1)(F+I-W)",
      .bubble_exact_when = "m >= p, W <= F, W <= I, stages cost the same and comm = 0",
      .peak_activations = "min(vm, (v-1)G + p), groups of G = m / max(1, m div p)",
      .parameter_copies = 1,
      .chunks = 2,
      .least_chunks = 1,
      .generate = GenerateInterleavedZb,
      .exact_bubble = Bubble,
  };
}

}  // namespace pipescope::schedules
