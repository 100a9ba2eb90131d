// What the tests of steps on every GPU share.
#pragma once

#include "sim/step_flow/executor.h"
#include "tests/sim/testing.h"

namespace pipescope {

StepTimes RunStep(const Experiment& e, const TaskGraph& graph);

// The same step under 1F1B, its flows shared by SimGrid: a balanced one, so that what a rank's GPUs
// do stays together, with HBM that never runs short, since a flow of SimGrid's cannot take part of
// a link. The ways of the first run are those of the second, whichever engine runs them.
void ExpectSimGridAgrees(const Experiment& e);

}  // namespace pipescope
