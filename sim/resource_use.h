// Adds up what a task graph that has run moved over HBM, NVLink and NICs
// (sim/result/resource_use.h).
#pragma once

#include "sim/engine/engine.h"
#include "sim/lowering/task_graph.h"
#include "sim/result/resource_use.h"

namespace pipescope {

// In `slices` equal parts of the step, which ends with the last task.
ResourceUse ResourceUseOf(const TaskGraph& graph, const TaskTimes& times, int slices);

}  // namespace pipescope
