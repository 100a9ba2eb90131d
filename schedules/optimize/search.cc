#include "schedules/optimize/search.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <random>

#include "schedules/optimize/placed_time.h"

namespace pipescope::schedules {
namespace {

using enum ActionKind;

constexpr size_t kHistory = 100;
constexpr double kMeanWeight = 1e-2;
constexpr size_t kReach = 16;  // places a step may move

class Walk {
 public:
  Walk(const PlacedProblem& problem, Placed start, double bound)
      : problem_(problem), time_(problem), best_(std::move(start)), order_(best_.order) {
    goal_ = bound * (1 + 1e-9);
    present_ = Value();
    history_.fill(present_);
    path_ = time_.CriticalPath(order_);
  }

  Placed Run(int64_t orders) {
    const int64_t last = best_.orders + orders;
    for (int64_t move = 0; best_.orders < last && move < 10 * orders; ++move) {
      if (best_.value <= goal_) break;
      TryMove();
    }
    return std::move(best_);
  }

 private:
  size_t Draw(size_t below) { return static_cast<size_t>(random_() % below); }

  double Value() {
    worst_ = time_(order_);
    const auto& of_rank = time_.of_rank();
    const double sum = std::accumulate(of_rank.begin(), of_rank.end(), 0.0);
    return worst_ + kMeanWeight * sum / static_cast<double>(of_rank.size());
  }

  // A place near `at`, on either side.
  size_t Near(const Steps& steps, size_t at) {
    const size_t by = 1 + Draw(Draw(2) == 0 ? 2 : kReach);
    if (Draw(2) == 0) return at > by ? at - by : 0;
    return std::min(at + by, steps.size() - 1);
  }

  static void Shift(Steps& steps, size_t from, size_t to) {
    const Step step = steps[from];
    steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(from));
    steps.insert(steps.begin() + static_cast<std::ptrdiff_t>(to), step);
  }

  static void Insert(Steps& steps, size_t at, Step step) {
    steps.insert(steps.begin() + static_cast<std::ptrdiff_t>(std::min(at, steps.size())), step);
  }

  void Part(Steps& steps, size_t at) {
    const uint8_t slot = steps[at].slot;
    const Step forward{kForward, slot}, backward{kBackward, static_cast<uint8_t>(1 - slot)};
    const bool forward_first = Draw(2) == 0;
    steps[at] = forward_first ? forward : backward;
    Insert(steps, at + 1, forward_first ? backward : forward);
  }

  // The nearest later or earlier step of this kind and slot; the size where there is none.
  static size_t Find(const Steps& steps, size_t at, Step wanted) {
    for (size_t by = 1; by <= kReach; ++by) {
      if (at + by < steps.size() && steps[at + by] == wanted) return at + by;
      if (at >= by && steps[at - by] == wanted) return at - by;
    }
    return steps.size();
  }

  void Join(Steps& steps, size_t at, size_t with, Step joined) {
    if (with == steps.size()) return;
    steps[Draw(2) == 0 ? at : with] = joined;
    steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(steps[at] == joined ? with : at));
  }

  void Change(Steps& steps, size_t at) {
    const Step step = steps[at];
    const auto other = static_cast<uint8_t>(1 - step.slot);
    if (Draw(3) > 0) return Shift(steps, at, Near(steps, at));
    if (step.kind == kOverlapped) return Part(steps, at);
    if (step.kind == kBackward && (!problem_.pairs || Draw(2) == 0)) {
      steps[at].kind = kInputGrad;
      return Insert(steps, at + 1 + Draw(kReach), {kWeightGrad, step.slot});
    }
    if (problem_.pairs && step.kind == kForward) {
      const Step backward{kBackward, other};
      return Join(steps, at, Find(steps, at, backward), {kOverlapped, step.slot});
    }
    if (problem_.pairs && step.kind == kBackward) {
      return Join(steps, at, Find(steps, at, {kForward, other}), {kOverlapped, other});
    }
    if (step.kind == kInputGrad) {
      Join(steps, at, Find(steps, at, {kWeightGrad, step.slot}), {kBackward, step.slot});
    }
  }

  // A step to move: mostly on the critical path, or beside it, for nothing else shortens it.
  std::pair<size_t, size_t> Choose() {
    if (Draw(4) == 0) {
      const size_t rank = Draw(order_.size());
      return {rank, Draw(order_[rank].size())};
    }
    const auto [rank, position] = path_[Draw(path_.size())];
    const auto r = static_cast<size_t>(rank), p = static_cast<size_t>(position) + Draw(3);
    return {r, p == 0 ? 0 : std::min(p - 1, order_[r].size() - 1)};
  }

  void TryMove() {
    const auto [rank, at] = Choose();
    Steps& steps = order_[rank];
    before_ = steps;
    Change(steps, at);
    if (steps == before_ || !Fits(problem_, static_cast<int>(rank), steps)) {
      steps.swap(before_);
    } else if (Keep()) {
      path_ = time_.CriticalPath(order_);
    } else {
      steps.swap(before_);
    }
  }

  bool Keep() {
    ++best_.orders;
    const double value = Value();
    double& earlier = history_[static_cast<size_t>(best_.orders) % kHistory];
    const bool keep = value <= present_ || value <= earlier;
    if (keep) present_ = value;
    earlier = present_;
    if (keep && worst_ < best_.value * (1 - 1e-12)) {
      best_.value = worst_;
      best_.order = order_;
    }
    return keep;
  }

  const PlacedProblem& problem_;
  PlacedTime time_;
  Placed best_;
  StepOrder order_;
  Steps before_;
  std::vector<std::pair<int, int>> path_;  // of order_
  std::mt19937 random_{1};                 // its numbers are fixed by the standard
  std::array<double, kHistory> history_ = {};
  double goal_ = 0, present_ = 0, worst_ = 0;
};

}  // namespace

int64_t SearchBudget(const PlacedProblem& problem) {
  const int64_t actions = int64_t{3} * problem.ranks * problem.microbatches * problem.slots();
  return std::min(kSearchedOrders, kSearchedActions / std::max<int64_t>(1, actions));
}

Placed Search(const PlacedProblem& problem, Placed start, double bound, int64_t orders) {
  const double before = start.value;
  Placed found = Walk(problem, std::move(start), bound).Run(orders);
  if (found.value < before) found.from += ", then local search";
  return found;
}

}  // namespace pipescope::schedules
