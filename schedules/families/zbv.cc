// ZB-V: zero bubble on a V of two stages a rank, with no more activations than 1F1B.
//
// Rank r of p holds stages a = r and b = 2p-1-r: the pipeline goes down the ranks and comes back
// up, so that the first rank has the loss and the last turns without a message. With n = max(m,
// 2p-1), rank r runs
//
//   1  2(p-r)-1 x  F(a)
//   2  r x         F(b) F(a)
//   3  (p-r) x     F(b) I(b) W(b)
//   4  F(a), if any is left of n, then I(a) W(a) F(b) I(b) W(b); until the F(b) have caught up
//   5  r x         I(a) I(b)
//   6  (p-r) x     I(a) W(a)
//   7  the remaining W(b), then the remaining W(a)
//
// each taking its micro-batches in order, and leaves out those that do not exist (m <= k < n).
// With F = I = W no rank waits once begun (span bubble 0) and the makespan's bubble is (p-1)F. For
// other costs there is no closed form: 4 ranks, m = 8, F = 10, I = 12, W = 8 wait 36 of a makespan
// of 516, where the balanced form would give 30.
//
// Example, 1 rank, 2 micro-batches: 0F0 1F0 1I0 1W0 0F1 0I0 0W0 1F1 1I1 1W1 0I1 0W1.
// Source: Qi et al., "Zero Bubble Pipeline Parallelism", arXiv 2401.10241v2, section 6, in the
// order of torch.distributed.pipelining.
#include <fmt/format.h>

#include <algorithm>

#include "schedules/family.h"

namespace pipescope::schedules {
namespace {

// One leg of the V on one rank: the actions of its stage, each kind in the order of micro-batches.
class Leg {
 public:
  Leg(int stage, int microbatches, std::vector<Action>& order)
      : stage_(stage), microbatches_(microbatches), order_(order) {}

  void F() { Add(ActionKind::kForward, forwards_++); }
  void I() { Add(ActionKind::kInputGrad, inputs_++); }
  void W() { Add(ActionKind::kWeightGrad, weights_++); }
  void FIW() {
    F();
    I();
    W();
  }
  void RestOfW() {
    while (weights_ < inputs_) W();
  }
  int forwards() const { return forwards_; }

 private:
  void Add(ActionKind kind, int microbatch) {
    if (microbatch < microbatches_) order_.push_back(Make(kind, stage_, microbatch));
  }

  int stage_, microbatches_;
  std::vector<Action>& order_;
  int forwards_ = 0, inputs_ = 0, weights_ = 0;
};

void RankOrder(int ranks, int rank, int n, Leg& a, Leg& b) {
  for (int i = 0; i < 2 * (ranks - rank) - 1; ++i) a.F();
  for (int i = 0; i < rank; ++i) {
    b.F();
    a.F();
  }
  for (int i = rank; i < ranks; ++i) b.FIW();
  while (b.forwards() < a.forwards() || a.forwards() < n) {
    if (a.forwards() < n) a.F();
    a.I();
    a.W();
    b.FIW();
  }
  for (int i = 0; i < rank; ++i) {
    a.I();
    b.I();
  }
  for (int i = rank; i < ranks; ++i) {
    a.I();
    a.W();
  }
  b.RestOfW();
  a.RestOfW();
}

// With few micro-batches a rank still counts through 2p-1.
constexpr int64_t kMostRanks = 8192;

Result<Schedule> GenerateZbv(const Options& options) {
  if (options.ranks > kMostRanks) {
    return BadOption("--ranks", options.ranks,
                     fmt::format("zbv is worked out for at most {} ranks", kMostRanks));
  }
  Schedule schedule = EmptySchedule("zbv", options, 2 * static_cast<int>(options.ranks));
  const int m = schedule.microbatches, n = std::max(m, 2 * schedule.ranks - 1);
  for (int rank = 0; rank < schedule.ranks; ++rank) {
    auto& order = schedule.actions[static_cast<size_t>(rank)];
    order.reserve(6 * static_cast<size_t>(m));
    Leg a(rank, m, order), b(schedule.stages - 1 - rank, m, order);
    RankOrder(schedule.ranks, rank, n, a, b);
  }
  return schedule;
}

std::optional<double> Bubble(const Options& options, const Costs& costs) {
  if (!UniformAndFree(costs) || options.microbatches < 2 * options.ranks - 1) return {};
  const double forward = costs.Forward(0);
  if (costs.InputGrad(0) != forward || costs.WeightGrad(0) != forward) return {};
  return static_cast<double>(options.ranks - 1) * forward;
}

}  // namespace

Family ZbvFamily() {
  return {
      .name = "zbv",
      .aliases = {},
      .summary = "zero bubble on a V of two stages a rank, in the memory of 1f1b",
      .reference = "Zero Bubble Pipeline Parallelism, arXiv 2401.10241v2; torch's ZBVZeroBubble",
      .constraints = "at most 8192 ranks",
      .options = "--ranks, --microbatches",
      .bubble = "(p-1)F",
      .bubble_exact_when = "F = I = W at every stage, m >= 2p-1 and comm = 0",
      .peak_activations = "2p on every rank from m = 2p-1 on; at most min(2m, 2p)",
      .parameter_copies = 1,
      .chunks = 2,
      .generate = GenerateZbv,
      .exact_bubble = Bubble,
  };
}

}  // namespace pipescope::schedules
