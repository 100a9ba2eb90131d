#include "schedules/optimize/search.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <random>

#include "schedules/optimize/span.h"

namespace pipescope::schedules {
namespace {

constexpr size_t kHistory = 200;
constexpr double kMeanWeight = 1e-3;

// F's before their I's before their W's.
bool Ordered(const Kinds& kinds) {
  int done[3] = {};
  for (const ActionKind kind : kinds) {
    const auto k = static_cast<size_t>(kind);
    if (k > 0 && done[k - 1] <= done[k]) return false;
    ++done[k];
  }
  return true;
}

class Walk {
 public:
  Walk(const Problem& problem, Optimized start)
      : problem_(problem), span_(problem), best_(std::move(start)), order_(best_.order) {
    goal_ = LowerBound(problem) * (1 + 1e-9);
    present_ = Value();
    history_.fill(present_);
  }

  Optimized Run(int64_t orders) {
    const int64_t last = best_.orders + orders;
    for (int64_t move = 0; best_.orders < last && move < 10 * orders; ++move) {
      if (best_.span <= goal_) break;
      Step();
    }
    return std::move(best_);
  }

 private:
  size_t Draw(size_t below) { return static_cast<size_t>(random_() % below); }

  double Value() {
    longest_ = span_(order_);
    const auto& spans = span_.rank_span();
    const double sum = std::accumulate(spans.begin(), spans.end(), 0.0);
    return longest_ + kMeanWeight * sum / static_cast<double>(spans.size());
  }

  // Moves the action at `from` to `to`, shifting those between.
  static void Shift(Kinds& kinds, size_t from, size_t to) {
    const auto at = [&](size_t i) { return kinds.begin() + static_cast<std::ptrdiff_t>(i); };
    if (from < to) {
      std::rotate(at(from), at(from + 1), at(to + 1));
    } else {
      std::rotate(at(to), at(from), at(from + 1));
    }
  }

  // A move of one action that changes the rank's kinds, or from == to.
  void Choose(const Kinds& kinds, size_t& from, size_t& to) {
    from = 1 + Draw(kinds.size() - 1);
    to = std::min(from + 1, kinds.size() - 1);
    if (kinds[from] == ActionKind::kWeightGrad && Draw(2) == 0) {
      const size_t reach = std::min<size_t>(kinds.size() - 1, 12);
      const size_t by = 1 + Draw(reach);
      to = Draw(2) == 0 ? std::min(from + by, kinds.size() - 1) : (from > by ? from - by : 1);
    } else if (kinds[from] == kinds[to]) {
      to = from;
    }
  }

  void Step() {
    size_t rank = Draw(order_.size());
    if (Draw(2) == 0) {
      const auto& spans = span_.rank_span();
      rank = static_cast<size_t>(std::max_element(spans.begin(), spans.end()) - spans.begin());
    }
    Kinds& kinds = order_[rank];
    size_t from = 0, to = 0;
    Choose(kinds, from, to);
    if (from == to) return;
    Shift(kinds, from, to);
    if (Ordered(kinds) && FitsMemory(problem_, rank, kinds) && Keep()) return;
    Shift(kinds, to, from);
  }

  bool Keep() {
    ++best_.orders;
    const double value = Value();
    double& earlier = history_[static_cast<size_t>(best_.orders) % kHistory];
    const bool keep = value <= present_ || value <= earlier;
    if (keep) present_ = value;
    earlier = present_;
    if (keep && longest_ < best_.span * (1 - 1e-12)) {
      best_.span = longest_;
      best_.order = order_;
    }
    return keep;
  }

  const Problem& problem_;
  SpanOf span_;
  Optimized best_;
  KindOrder order_;
  std::mt19937 random_{1};  // its numbers are fixed by the standard
  std::array<double, kHistory> history_ = {};
  double goal_ = 0, present_ = 0, longest_ = 0;
};

}  // namespace

int64_t SearchBudget(const Problem& problem) {
  const int64_t actions = int64_t{3} * problem.ranks * problem.microbatches;
  return std::min(kSearchedOrders, kSearchedActions / actions);
}

Optimized Search(const Problem& problem, Optimized start, int64_t orders) {
  const double before = start.span;
  Optimized found = Walk(problem, std::move(start)).Run(orders);
  if (found.span < before) found.from += ", then local search";
  return found;
}

}  // namespace pipescope::schedules
