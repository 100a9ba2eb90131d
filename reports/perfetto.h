// A step as a trace that Perfetto (ui.perfetto.dev) and chrome://tracing open.
//
// Chrome's trace event format, times in microseconds: a process a rank, a thread a lane plus one
// for actions, complete events ("X") for actions and operations, flows ("s", "f") for pipeline
// messages, counters ("C") for memory. With several results, each has its own range of processes.
#pragma once

#include <string>
#include <vector>

#include "sim/result/result_types.h"

namespace pipescope::reports {

std::string PerfettoTrace(const std::vector<StepResult>& results);

}  // namespace pipescope::reports
