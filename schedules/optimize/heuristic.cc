#include "schedules/optimize/heuristic.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "schedules/optimize/rounds.h"
#include "schedules/optimize/span.h"

namespace pipescope::schedules {
namespace {

// Of all orders by rounds, some seconds; the paper's grid takes less, whatever the size.
constexpr int64_t kRoundSteps = 20 * kMostOptimizedActions;

class Best {
 public:
  explicit Best(const Problem& problem) : problem_(problem), span_(problem) {}

  void Try(KindOrder order, const std::string& from) {
    if (!FitsMemory(problem_, order)) return;
    ++best_.orders;
    const double span = span_(order);
    if (!(span < best_.span)) return;
    best_.span = span;
    best_.order = std::move(order);
    best_.from = from;
  }

  void TryRounds(int most_in_warm_up, const std::vector<double>& gaps) {
    for (const double gap : gaps) {
      for (const bool prefer : {false, true}) {
        for (const Overrun overrun : {Overrun::kBehind, Overrun::kAnywhere, Overrun::kNowhere}) {
          left_ -= int64_t{3} * problem_.ranks * problem_.microbatches;
          if (left_ < 0) return;
          const RoundSwitches switches{gap, prefer, overrun, most_in_warm_up};
          Try(OrderByRounds(problem_, switches), Name(switches));
        }
      }
    }
  }

  Optimized Take() { return std::move(best_); }

 private:
  static std::string Name(const RoundSwitches& switches) {
    const char* const kOverruns[] = {"behind", "anywhere", "nowhere"};
    std::string name = fmt::format("rounds (gap before first I {:g}, prefer I {}, overrun {}",
                                   switches.warm_up_gap, switches.prefer_input_grad ? "on" : "off",
                                   kOverruns[static_cast<size_t>(switches.overrun)]);
    if (switches.most_in_warm_up > 0) {
      name += fmt::format(", warm-up of {}", switches.most_in_warm_up);
    }
    return name + ")";
  }

  const Problem& problem_;
  SpanOf span_;
  Optimized best_;
  int64_t left_ = kRoundSteps;
};

// ZB-H1 where width is 1, ZB-H2 where it is 2.
KindOrder HandMade(const Problem& problem, int width) {
  const int m = problem.microbatches;
  KindOrder order(static_cast<size_t>(problem.ranks));
  for (int rank = 0; rank < problem.ranks; ++rank) {
    Kinds& kinds = order[static_cast<size_t>(rank)];
    int forwards = std::min(m, width * (problem.ranks - 1 - rank));
    kinds.assign(static_cast<size_t>(forwards), ActionKind::kForward);
    for (int i = 0; i < m; ++i) {
      if (forwards++ < m) kinds.push_back(ActionKind::kForward);
      kinds.push_back(ActionKind::kInputGrad);
      if (i >= width * rank) kinds.push_back(ActionKind::kWeightGrad);
    }
    kinds.resize(3 * static_cast<size_t>(m), ActionKind::kWeightGrad);
  }
  return order;
}

// How many forwards fit before the first I, on the rank that holds most.
int MostInFlight(const Problem& problem) {
  double most = 1;
  for (size_t r = 0; r < problem.limit.size(); ++r) {
    most = std::max(most, std::floor(LimitOf(problem, r) / problem.memory[r].forward));
  }
  return static_cast<int>(
      std::min({most, double(problem.microbatches), 4.0 * problem.ranks + 4.0}));
}

}  // namespace

Optimized Heuristic(const Problem& problem) {
  Best best(problem);
  best.TryRounds(0, {0, 1});
  best.TryRounds(0, {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9});
  best.Try(HandMade(problem, 1), "hand-made, as zb-h1");
  best.Try(HandMade(problem, 2), "hand-made, as zb-h2");
  const int most = MostInFlight(problem);
  const int tries = std::min(most - 1, kWarmUps);
  for (int t = 0; t < tries; ++t) {
    best.TryRounds(most - 1 - static_cast<int>(int64_t{t} * (most - 1) / tries), {0, 1});
  }
  return best.Take();
}

}  // namespace pipescope::schedules
