// A replayed trace for people and for programs: how the replay compares with the trace, what its
// dependencies are, and the same tables that a trace has (trace_report.h), of the replay.
//
// JSON: what TraceJson gives, of the replay, and
//   "replay": {"recorded_s", "replayed_s", "scales": {class: F}, "unexplained_s",
//   "unexplained_share",
//              "wait_calls", "turns", "host_pauses",
//              "dependencies": [{"cause", "count", "decided", "delay_s", "delays_share"}]}
#pragma once

#include <string>

#include "sim/replay/replay.h"
#include "sim/trace/summary.h"

namespace pipescope::reports {

std::string ReplayText(const replay::Replay& replay, const trace::Summary& summary);
std::string ReplayJson(const replay::Replay& replay, const trace::Summary& summary);

}  // namespace pipescope::reports
