#include "sim/action_times.h"

#include <algorithm>

#include "sim/engine/engine.h"
#include "sim/lowering/alone.h"

namespace pipescope {

using schedules::Action;
using schedules::ActionKind;

Duration TimeAlone(const Experiment& e, const model::Layout& layout, const costs::Spread& spread,
                   const Action& action) {
  const TaskTimes times = RunFluid(LowerAlone(e, layout, spread, action));
  return *std::max_element(times.end.begin(), times.end.end());
}

FixedTimes FixedTimesOf(const Experiment& e, const model::Layout& layout,
                        const costs::Spread& spread, const schedules::Schedule& schedule) {
  FixedTimes times;
  times.hop = HopTime(e, spread);
  const auto add = [&](const Action& action) {
    const auto [at, is_new] = times.action.try_emplace(FixedTimes::KeyOf(action));
    if (is_new) at->second = TimeAlone(e, layout, spread, action);
  };
  for (const auto& rank : schedule.actions) {
    for (const Action& action : rank) {
      add(action);
      if (action.kind == ActionKind::kBackward) {
        add({ActionKind::kInputGrad, action.stage, action.microbatch});
      }
    }
  }
  return times;
}

}  // namespace pipescope
