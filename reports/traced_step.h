// A profiler's trace, or a pipeline of them, as the result that the report page and Perfetto show.
//
// A trace says nothing of model, plan and memory: tokens, MFU and memory are left out, and the page
// leaves out what would be made of them.
#pragma once

#include <string>
#include <vector>

#include "sim/result/result_types.h"
#include "sim/trace/pipeline.h"
#include "sim/trace/trace.h"

namespace pipescope::reports {

// `timeline` is one trace's, or a pipeline's whose ranks are the traces in order.
StepResult TracedStep(const std::vector<trace::Trace>& traces, const timeline::Timeline& timeline);

}  // namespace pipescope::reports
