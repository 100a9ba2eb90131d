// Which annotation of the program a device operation belongs to: the innermost that was open on the
// launching thread when the launch began, else the innermost that was open on any thread (autograd
// launches from a thread of its own while the annotated one waits). The profiler's own
// "ProfilerStep#3" does not count.
//
// An annotation's letter in brackets says which part of a step it is: "attn(F)" forward, "mlp(B)"
// input gradient, "mlp(W)" weight gradient, as in DeepSeek's published trace.
#pragma once

#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/timeline/timeline.h"
#include "sim/trace/trace.h"

namespace pipescope::trace {

// For each of trace.operations an index into trace.annotations, or -1. Fails where more annotations
// are open at once than programs nest.
Result<std::vector<int32_t>> FindPhases(const Trace& trace);

timeline::Part PartOf(const std::string& annotation);

}  // namespace pipescope::trace
