// Traces of several ranks as one pipeline: how their clocks were compared, and each rank's bubble.
//
//   {"common_operations", "alignment_error_s", "span_s", "bubble": {"makespan_rate", "per_rank_s"},
//    "bubble_by_cause_s": {cause: time} or null where no annotation names actions,
//    "ranks": [{"file", "rank", "clock_ahead_s", "actions", "named_actions", "computing_s",
//               "busy_s", "bubble_s"}]}
#pragma once

#include <string>
#include <vector>

#include "sim/trace/align.h"
#include "sim/trace/pipeline.h"
#include "sim/trace/trace.h"

namespace pipescope::reports {

std::string PipelineText(const std::vector<trace::Trace>& traces, const trace::Alignment& alignment,
                         const trace::PipelineTrace& pipeline);
std::string PipelineJson(const std::vector<trace::Trace>& traces, const trace::Alignment& alignment,
                         const trace::PipelineTrace& pipeline);

}  // namespace pipescope::reports
