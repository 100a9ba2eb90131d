// A profiler's trace for people and for programs: how busy each stream was, what it did, how long
// the annotated phases took, and how much communication ran beside computation.
//
//   {"file", "device", "sms", "rank", "world_size", "events", "span_s", "idle_s",
//    "compute_busy_s", "communication_s", "communication_hidden_s", "hidden_share",
//    "streams": [{"device", "stream", "lane", "operations", "busy_s", "busy_share"}],
//    "phases": [{"name", "lane", "times", "operations", "mean_s", "least_s", "most_s"}],
//    "classes": [{"name", "operations", "total_s", "mean_s", "least_s", "most_s",
//                 "fewest_blocks", "most_blocks"}], "definitions": {...}}
// What the trace does not say is null.
#pragma once

#include <string>

#include "sim/trace/summary.h"
#include "sim/trace/trace.h"

namespace pipescope::reports {

std::string TraceText(const trace::Trace& trace, const trace::Summary& summary);
std::string TraceJson(const trace::Trace& trace, const trace::Summary& summary);

}  // namespace pipescope::reports
