// Between which actions activations and gradients travel, on one rank or between two.
//
// Flow's needs name the action of another rank that an action waits for; where both are on one rank
// (the turn of a V) its order answers for it, and what is handed over is found here.
#pragma once

#include <cstdint>
#include <vector>

#include "schedules/flow.h"
#include "schedules/schedule.h"

namespace pipescope::executor {

struct Routes {
  // By action's number; -1 where the stage is the first or last.
  std::vector<int32_t> activation_from, gradient_from;  // that gives what this one takes
  std::vector<int32_t> activation_to, gradient_to;      // that takes what this one gives
};

// Of a sound schedule.
Routes RoutesOf(const schedules::Schedule& schedule, const schedules::Flow& flow);

}  // namespace pipescope::executor
