// An action as its fixed time (fixed_times.h): one operation, or two of a full backward.
#pragma once

#include "schedules/schedule.h"
#include "sim/lowering/action_template.h"
#include "sim/lowering/fixed_times.h"
#include "sim/lowering/phase_costs.h"

namespace pipescope {

// `times` holds the action, and of a full backward its stage's input gradient.
ActionTemplate MakeFixedAction(const schedules::Action& action, const FixedTimes& times,
                               PhaseCosts& costs);

}  // namespace pipescope
