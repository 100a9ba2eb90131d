// Traces of a pipeline's ranks, one each, as one Timeline: what bubbles and reports are made from.
//
// Actions are what annotations name by the tokens of PyTorch's pipelining IR ("3F0", "PP:3F0",
// "(0F7;7B3)OVERLAP_F_B"). An action lasts from the start of the first operation that it launched
// to the end of the last, pipeline messages not counted, and no longer than the next one's start.
// Where a trace names none, each stretch in which its device computes, pauses of up to 10 us
// included, is an action, of kind F by default: its bubbles are right, their causes are not.
#pragma once

#include <vector>

#include "sim/base/result.h"
#include "sim/timeline/timeline.h"
#include "sim/trace/align.h"
#include "sim/trace/trace.h"

namespace pipescope::trace {

struct PipelineTrace {
  timeline::Timeline timeline;      // ranks in the order of the traces
  std::vector<int64_t> named;       // [rank] actions that annotations name
  std::vector<Duration> computing;  // [rank] some operation of a computing stream runs
};

Result<PipelineTrace> PipelineOf(const std::vector<Trace>& traces, const Alignment& alignment);

}  // namespace pipescope::trace
