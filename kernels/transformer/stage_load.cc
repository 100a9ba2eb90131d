#include "kernels/transformer/stage_load.h"

#include <algorithm>
#include <map>

#include "schedules/token.h"

namespace pipescope::transformer {
namespace {

using schedules::Action;
using schedules::ActionKind;

// Of a stage, while its rank's order is gone through.
struct Count {
  StageLoad load;
  int held = 0, deferred = 0;

  void Forward() {
    ++load.microbatches;
    load.held = std::max(load.held, ++held);
  }
  void InputGrad() { load.deferred = std::max(load.deferred, ++deferred); }
};

RankLoad LoadOf(const std::vector<Action>& actions) {
  std::map<int, Count> stages;
  const auto of = [&](StageId stage) -> Count& {
    return stages.try_emplace(stage.value(), Count{{stage.value(), 0}}).first->second;
  };
  for (const Action& action : actions) {
    if (schedules::HasForward(action)) of(action.stage).Forward();
    if (schedules::HasBackward(action)) --of(schedules::BackwardStage(action)).held;
    if (action.kind == ActionKind::kInputGrad) of(action.stage).InputGrad();
    if (action.kind == ActionKind::kWeightGrad) --of(action.stage).deferred;
  }
  RankLoad load;
  for (const auto& [stage, count] : stages) load.push_back(count.load);
  return load;
}

}  // namespace

std::vector<RankLoad> LoadsOf(const schedules::Schedule& schedule) {
  std::vector<RankLoad> loads;
  for (const auto& actions : schedule.actions) loads.push_back(LoadOf(actions));
  return loads;
}

std::vector<Action> OrderOf(const RankLoad& load, bool split) {
  std::vector<Action> order;
  const auto add = [&](ActionKind kind, const StageLoad& of, int microbatch) {
    if (microbatch < 0 || microbatch >= std::max(2, of.microbatches)) return;
    order.push_back({kind, StageId(of.stage), MicrobatchId(microbatch)});
  };
  int end = 0;
  for (const StageLoad& of : load) {
    end = std::max(end, std::max(2, of.microbatches) + of.held + of.deferred - 2);
  }
  for (int m = 0; m < end; ++m) {
    for (const StageLoad& of : load) add(ActionKind::kForward, of, m);
    for (auto of = load.rbegin(); of != load.rend(); ++of) {
      const int back = m - of->held + 1;
      add(split ? ActionKind::kInputGrad : ActionKind::kBackward, *of, back);
      if (split) add(ActionKind::kWeightGrad, *of, back - of->deferred + 1);
    }
  }
  return order;
}

}  // namespace pipescope::transformer
