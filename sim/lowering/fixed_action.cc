#include "sim/lowering/fixed_action.h"

#include <algorithm>

namespace pipescope {
namespace {

using schedules::ActionKind;
using timeline::Part;

int32_t Operation(const char* name, Part part, Duration time, PhaseCosts& costs) {
  costs::Demand demand;
  demand.time = time;
  return costs.Add({name, timeline::OperationKind::kOther, timeline::Lane::kCompute, part}, demand);
}

// The first operation takes what the action needs, the last one gives what it makes.
void NotePorts(ActionKind kind, ActionTemplate& made) {
  const int32_t last = static_cast<int32_t>(made.operations.size() - 1);
  const bool forward = kind == ActionKind::kForward, pair = kind == ActionKind::kOverlapped;
  const bool gradient = !forward && kind != ActionKind::kWeightGrad;
  if (forward || pair) {
    made.takes_activation = 0;
    made.gives_activation = last;
  }
  if (gradient) {
    made.takes_gradient = 0;
    made.gives_gradient = last;
  }
  made.roots = {0};
  made.sinks = {last};
}

}  // namespace

ActionTemplate MakeFixedAction(const schedules::Action& action, const FixedTimes& times,
                               PhaseCosts& costs) {
  const Duration time = times.action.at(FixedTimes::KeyOf(action));
  ActionTemplate made;
  const auto append = [&](const char* name, Part part, Duration duration) {
    OperationSpec spec{Operation(name, part, duration, costs)};
    if (!made.operations.empty()) spec.after = {static_cast<int32_t>(made.operations.size() - 1)};
    made.operations.push_back(std::move(spec));
  };
  switch (action.kind) {
    case ActionKind::kForward:
      append("F", Part::kForward, time);
      break;
    case ActionKind::kInputGrad:
      append("I", Part::kInputGrad, time);
      break;
    case ActionKind::kWeightGrad:
      append("W", Part::kWeightGrad, time);
      break;
    case ActionKind::kBackward: {
      const Duration input = std::min(
          time,
          times.action.at({ActionKind::kInputGrad, action.stage.value(), action.stage.value()}));
      append("B: input gradient", Part::kInputGrad, input);
      append("B: weight gradient", Part::kWeightGrad, time - input);
      break;
    }
    case ActionKind::kOverlapped:
      append("F&B", Part::kNone, time);
      break;
  }
  NotePorts(action.kind, made);
  return made;
}

}  // namespace pipescope
