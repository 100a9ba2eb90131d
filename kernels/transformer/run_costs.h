// What a run is made of, with what each step costs: all that a prediction of it needs to know.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/timeline/timeline.h"

namespace pipescope::transformer {

// An action as the executor runs it (executor/work.h), with what its steps cost.
struct TimedStep {
  int32_t label = 0;
  timeline::Lane lane = timeline::Lane::kCompute;
  std::vector<int32_t> after;
  double seconds = 0;  // beside the other ranks, all of them at work
  double alone = 0;    // while they wait; never more
  double before = 0;   // of the executor, between the step before and this one
};
struct TimedAction {
  std::vector<TimedStep> steps;
  int32_t takes_activation = -1, gives_activation = -1;
  int32_t takes_gradient = -1, gives_gradient = -1;
};

struct RunCosts {
  std::vector<timeline::Label> labels;
  std::vector<std::vector<TimedAction>> actions;  // [rank][position]
  std::vector<TimedAction> step_ends;             // [rank]
  // [rank] those whose first step of the end must have ended before its second one starts.
  std::vector<std::vector<int>> partners;
  // [rank] those that take part in its steps on the communication lane, itself among them: the
  // n-th such step of each is one exchange, which starts when all have come to it.
  std::vector<std::vector<int>> groups;
};

}  // namespace pipescope::transformer
