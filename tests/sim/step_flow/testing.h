// What the tests of steps on every GPU share.
#pragma once

#include <string>

#include "sim/step_flow/executor.h"
#include "tests/sim/testing.h"

namespace pipescope {

StepTimes RunStep(const Experiment& e, const TaskGraph& graph);

// The same step, its flows shared by SimGrid: with HBM that never runs short, since a flow of
// SimGrid's cannot take part of a link. The ways of the first run are those of the second,
// whichever engine runs them. False, and nothing is compared, where replicas go apart: SimGrid has
// to know every flow beforehand.
bool ExpectSimGridAgrees(const Experiment& e, const std::string& schedule = "1f1b");

}  // namespace pipescope
