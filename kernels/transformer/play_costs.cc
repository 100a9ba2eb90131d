#include "kernels/transformer/play_costs.h"

#include <algorithm>
#include <map>

#include "sim/base/quantile.h"

namespace pipescope::transformer {
namespace {

using schedules::Action;
using schedules::ActionKind;

// Of all actions of one kind and stage.
double SecondsOf(const ActionTimes& times, const ActionKey& key, size_t step) {
  double sum = 0;
  for (const auto& action : times.at(key)) sum += action.at(step).run;
  return sum;
}

double MedianOf(const std::vector<const ActionTimes*>& plays, const ActionKey& key, size_t step) {
  std::vector<double> sums;
  for (const ActionTimes* play : plays) sums.push_back(SecondsOf(*play, key, step));
  return Median(sums);
}

ActionKey KeyOf(ActionKind kind, StageId stage) { return {static_cast<int>(kind), stage.value()}; }

// As the executor runs it, without its costs.
TimedAction Timed(const executor::Steps& steps) {
  TimedAction timed{{},
                    steps.takes_activation,
                    steps.gives_activation,
                    steps.takes_gradient,
                    steps.gives_gradient};
  for (const executor::Step& step : steps.list) {
    timed.steps.push_back({step.label, step.lane, step.after});
  }
  return timed;
}

// Walks through a rank's actions and counts what comes n-th of each stage.
class Pricer {
 public:
  Pricer(executor::RankWork& work, const RankDraw& draw, bool splits)
      : work_(work), draw_(draw), splits_(splits) {}

  TimedAction Price(const Action& action) {
    executor::Ports ports;
    TimedAction timed = Timed(work_.Plan(action, ports));
    std::vector<TimedStep*> forward, backward;
    const bool pair = action.kind == ActionKind::kOverlapped;
    for (TimedStep& step : timed.steps) {
      const auto part = work_.labels()[static_cast<size_t>(step.label)].part;
      const bool first = !pair || part == timeline::Part::kForward;
      (first ? forward : backward).push_back(&step);
    }
    if (pair) {
      Fill(forward, ActionKind::kForward, action.stage);
      Fill(backward, ActionKind::kBackward, action.backward_stage);
    } else {
      Fill(forward, action.kind, action.stage);
    }
    return timed;
  }

 private:
  // B is a backward pass and a weight gradient.
  size_t Count(ActionKind kind, StageId stage) {
    const auto next = [&](ActionKind of) { return count_[KeyOf(of, stage)]++; };
    if (kind == ActionKind::kForward || kind == ActionKind::kWeightGrad) return next(kind);
    if (kind == ActionKind::kBackward) next(ActionKind::kWeightGrad);
    return next(ActionKind::kInputGrad);
  }

  void Fill(const std::vector<TimedStep*>& steps, ActionKind kind, StageId stage) {
    const bool of_split = kind == ActionKind::kForward ? splits_ : kind != ActionKind::kBackward;
    const auto key = KeyOf(kind, stage);
    const ActionTimes& times = of_split ? draw_.times.split : draw_.times.whole;
    const auto& shares = (of_split ? draw_.split : draw_.whole).at(key);
    const auto& played = times.at(key).at(Count(kind, stage));
    PIPESCOPE_CHECK(played.size() == steps.size());
    for (size_t i = 0; i < steps.size(); ++i) {
      steps[i]->seconds = played[i].run;
      steps[i]->alone = steps[i]->seconds * shares[i];
      steps[i]->before = played[i].before;
    }
  }

  executor::RankWork& work_;
  const RankDraw& draw_;
  const bool splits_;
  std::map<ActionKey, size_t> count_;
};

}  // namespace

bool Splits(const std::vector<Action>& actions) {
  return std::any_of(actions.begin(), actions.end(),
                     [](const Action& action) { return action.kind == ActionKind::kInputGrad; });
}

AloneShares AloneSharesOf(const std::vector<const ActionTimes*>& beside,
                          const std::vector<const ActionTimes*>& alone) {
  AloneShares shares;
  for (const auto& [key, actions] : *beside.front()) {
    for (size_t step = 0; step < actions.front().size(); ++step) {
      const double of_beside = MedianOf(beside, key, step);
      const double of_alone = alone.empty() ? of_beside : MedianOf(alone, key, step);
      const double share = of_beside > 0 ? of_alone / of_beside : 1;
      shares[key].push_back(std::clamp(share, 0.0, 1.0));
    }
  }
  return shares;
}

std::vector<TimedAction> CostsOf(const std::vector<Action>& actions, executor::RankWork& work,
                                 const RankDraw& draw) {
  Pricer pricer(work, draw, Splits(actions));
  std::vector<TimedAction> costs;
  for (const Action& action : actions) costs.push_back(pricer.Price(action));
  return costs;
}

TimedAction StepEndCosts(executor::RankWork& work, const RankDraw& draw) {
  TimedAction timed = Timed(work.StepEnd());
  for (size_t i = 0; i < timed.steps.size(); ++i) {
    timed.steps[i].seconds = timed.steps[i].alone = draw.times.end.at(i).run;
  }
  return timed;
}

}  // namespace pipescope::transformer
