// A task graph that has run, as the timeline that analysis and reports read.
#pragma once

#include "sim/engine/engine.h"
#include "sim/lowering/task_graph.h"
#include "sim/timeline/timeline.h"

namespace pipescope {

// An action lasts from the start of its first task to the end of its last one, the pipeline to the
// end of the last action, the step to the end of the last task.
timeline::Timeline MakeTimeline(TaskGraph&& graph, const TaskTimes& times);

}  // namespace pipescope
