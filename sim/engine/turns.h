// Runs a task graph whose ranks share processors and take turns on them (kernels/turns.h).
//
// Model. Each lane of a rank is a thread. A task that uses processors (Resource::kProcessors) has
// one of `capacity` to itself, from its start to its end, for its time x its rate; it starts when
// all it waits for have ended, a processor is free and nobody has been ready for longer. A thread
// whose task ends is ready again after those that its end made ready. A processor that was idle
// takes `wake` to start a thread. Tasks that use none start when they are ready.
//
// Example: three ranks of two tasks of 1 on one processor run A1 B1 C1 A2 B2 C2: 6, as evenly
// shared; of two tasks of 1 and 2 on one processor the first ends at 1, evenly shared at 2.
//
// Of other resources nothing is asked: there is enough of them.
#pragma once

#include "sim/engine/engine.h"

namespace pipescope {

// Deterministic: ties are resolved by task number. Aborts on a cyclic graph.
TaskTimes RunByTurns(const TaskGraph& graph, Duration wake = {});

}  // namespace pipescope
