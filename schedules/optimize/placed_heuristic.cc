#include "schedules/optimize/placed_heuristic.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "schedules/optimize/greedy.h"
#include "schedules/optimize/heuristic.h"
#include "schedules/optimize/placed_time.h"
#include "schedules/optimize/span.h"
#include "schedules/optimize/waves.h"

namespace pipescope::schedules {
namespace {

using enum ActionKind;

// Of all candidates: a second or two.
constexpr int64_t kGreedySteps = 12'000'000;
constexpr int64_t kWaveSteps = 12'000'000;

int64_t ActionsOf(const PlacedProblem& problem) {
  return int64_t{3} * problem.ranks * problem.microbatches * problem.slots();
}

class Best {
 public:
  explicit Best(const PlacedProblem& problem) : problem_(problem), time_(problem) {
    best_.value = std::numeric_limits<double>::infinity();
  }

  void Try(StepOrder order, const std::string& from) {
    for (int r = 0; r < problem_.ranks; ++r) {
      if (!Fits(problem_, r, order[static_cast<size_t>(r)])) return;
    }
    ++best_.orders;
    const double value = time_(order);
    if (!(value < best_.value)) return;
    best_.value = value;
    best_.order = std::move(order);
    best_.from = from;
  }

  bool AtBound() const { return best_.value <= LowerBound(problem_) * (1 + 1e-9); }
  Placed Take() { return std::move(best_); }

 private:
  const PlacedProblem& problem_;
  PlacedTime time_;
  Placed best_;
};

StepOrder Serial(const PlacedProblem& problem) {
  Steps steps;
  const auto last = static_cast<uint8_t>(problem.slots() - 1);
  const bool both = problem.placement == Placement::kV;
  for (int k = 0; k < problem.of_slot(); ++k) {
    if (!both) continue;
    for (const Step step :
         {Step{kForward, 0}, Step{kForward, 1}, Step{kBackward, 1}, Step{kBackward, 0}}) {
      steps.push_back(step);
    }
  }
  for (uint8_t slot = 0; !both && slot <= last; ++slot) {
    for (int k = 0; k < problem.of_slot(); ++k) {
      steps.push_back({kForward, slot});
      steps.push_back({kBackward, slot});
    }
  }
  return StepOrder(static_cast<size_t>(problem.ranks), steps);
}

// The linear problem whose orders all fit in this one's memory.
Problem Conservative(const PlacedProblem& problem) {
  Problem linear;
  linear.ranks = problem.ranks;
  linear.microbatches = problem.microbatches;
  linear.costs = problem.costs;
  linear.goal = problem.goal;
  for (int r = 0; r < problem.ranks; ++r) {
    const MemoryDeltas& memory = problem.memory_of(r, 0);
    double limit = problem.limit[static_cast<size_t>(r)];
    MemoryDeltas deltas = memory;
    if (memory.input_grad > 0 || memory.during_input_grad > 0) {
      const double until_weight = -memory.weight_grad;
      const double most = std::max(memory.forward, until_weight);
      limit -= std::min(memory.forward, until_weight);
      deltas = {most, until_weight - most, -until_weight};
    }
    linear.memory.push_back(deltas);
    linear.limit.push_back(limit);
  }
  return linear;
}

void TryLinear(const PlacedProblem& problem, Best& best) {
  const Problem linear = Conservative(problem);
  if (!CheckProblem(linear)) return;  // too little memory for the deltas that are on the safe side
  Optimized found = Heuristic(linear);
  best.Try(StepsOf(found.order), found.from);
}

void TryWaves(const PlacedProblem& problem, Best& best) {
  int64_t left = kWaveSteps;
  for (const double gap : {1.0, 0.8, 0.6, 0.4, 0.2}) {
    for (const double share : {1.0, 0.9, 0.8, 0.7, 0.6, 0.5}) {
      for (const bool forward : {true, false}) {
        for (const bool up : {true, false}) {
          left -= 2 * ActionsOf(problem);  // most are made twice
          if (left < 0 || best.AtBound()) return;
          const WaveSwitches switches{forward, up, share, gap};
          best.Try(OrderByWaves(problem, switches), ToString(switches));
        }
      }
    }
  }
}

std::vector<GreedyRule> Rules(const PlacedProblem& problem) {
  std::vector<GreedyRule> rules;
  const std::vector<double> shares = {1, 0.85, 0.7, 0.55};
  const std::vector<double> looks = {0, 0.3};
  for (const double look : looks) {
    for (const double share : shares) {
      for (const double overrun : {0.0, 0.5, 1.0}) {
        for (const Urgent urgent : {Urgent::kBackward, Urgent::kForward, Urgent::kAlternate}) {
          for (int slot = problem.slots() == 1 ? 2 : 0; slot <= 2; ++slot) {
            rules.push_back({urgent, slot, look, overrun, share, Split::kAlways, 0});
          }
        }
      }
    }
  }
  return rules;
}

// Where a W holds memory that its micro-batch did not before, forwards may be the better use of it.
std::vector<GreedyRule> WholeRules(const PlacedProblem& problem) {
  std::vector<GreedyRule> rules;
  const auto grows = [](const MemoryDeltas& memory) {
    return memory.input_grad > 0 || memory.during_input_grad > 0;
  };
  if (std::none_of(problem.memory.begin(), problem.memory.end(), grows)) return rules;
  for (const Split split : {Split::kNever, Split::kAfterForwards}) {
    for (const double share : {1.0, 0.7}) {
      for (const Urgent urgent : {Urgent::kBackward, Urgent::kForward, Urgent::kAlternate}) {
        for (int slot = problem.slots() == 1 ? 2 : 0; slot <= 2; ++slot) {
          for (const double look : {0.0, 0.3}) {
            rules.push_back({urgent, slot, look, 0.5, share, split, 0});
          }
        }
      }
    }
  }
  return rules;
}

std::vector<GreedyRule> PairRules() {
  std::vector<GreedyRule> rules;
  for (const double pair_look : {0.0, 0.3, 0.6, 1.0}) {
    for (const Split split : {Split::kAfterForwards, Split::kAlways}) {
      for (const double overrun : {0.0, 0.5}) {
        for (const Urgent urgent : {Urgent::kBackward, Urgent::kForward, Urgent::kAlternate}) {
          for (int slot = 0; slot <= 2; ++slot) {
            rules.push_back({urgent, slot, 0, overrun, 1, split, pair_look});
          }
        }
      }
    }
  }
  return rules;
}

}  // namespace

Placed PlacedHeuristic(const PlacedProblem& problem, const std::vector<Schedule>& known) {
  Best best(problem);
  best.Try(Serial(problem), "one micro-batch after the other");
  for (const Schedule& schedule : known) {
    auto order = StepsOf(problem, schedule);
    if (order) best.Try(std::move(*order), "the order of " + schedule.name);
  }
  if (problem.placement == Placement::kLinear) TryLinear(problem, best);
  if (problem.placement == Placement::kV) TryWaves(problem, best);
  std::vector<GreedyRule> rules = problem.pairs ? PairRules() : Rules(problem);
  const std::vector<GreedyRule> whole = WholeRules(problem);
  if (!problem.pairs) rules.insert(rules.end(), whole.begin(), whole.end());
  int64_t left = kGreedySteps;
  for (const GreedyRule& rule : rules) {
    left -= ActionsOf(problem);
    if (left < 0 || best.AtBound()) break;
    best.Try(GreedyOrder(problem, rule), ToString(rule));
  }
  return best.Take();
}

std::optional<Problem> LinearOf(const PlacedProblem& problem) {
  if (problem.placement != Placement::kLinear || !problem.costs.backward.empty()) return {};
  for (const MemoryDeltas& memory : problem.memory) {
    if (memory.input_grad > 0 || memory.during_input_grad > 0) return {};
  }
  return Conservative(problem);
}

Optimized LinearOf(const Problem& problem, const Placed& placed) {
  Optimized linear{{}, placed.value, placed.from, placed.orders};
  for (const Steps& steps : placed.order) {
    Kinds& kinds = linear.order.emplace_back();
    for (const Step step : steps) {
      kinds.push_back(step.kind == kBackward ? kInputGrad : step.kind);
      if (step.kind == kBackward) kinds.push_back(kWeightGrad);
    }
  }
  linear.span = SpanOf(problem)(linear.order);
  return linear;
}

StepOrder StepsOf(const KindOrder& order) {
  StepOrder all;
  for (const Kinds& kinds : order) {
    Steps& steps = all.emplace_back();
    for (const ActionKind kind : kinds) steps.push_back({kind, 0});
  }
  return all;
}

}  // namespace pipescope::schedules
