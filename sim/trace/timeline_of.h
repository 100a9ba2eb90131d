// A trace as the Timeline that the simulator yields too, so that one analysis serves both.
//
// The process is rank 0. A stream is of the communication lane where communication makes up more
// than half of its time, else of the compute lane; several streams may share a lane, so operations
// of a lane may overlap here. All of the trace is one action: F where annotations name only forward
// phases, I, W or B likewise, else an overlapped pair. Time counts from the first operation's
// start.
#pragma once

#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/timeline/timeline.h"
#include "sim/trace/operation_class.h"
#include "sim/trace/trace.h"

namespace pipescope::trace {

struct Stream {
  int32_t device = 0;
  int64_t number = 0;
  timeline::Lane lane = timeline::Lane::kCompute;
};

struct TracedTimeline {
  timeline::Timeline timeline;  // its operations are those of the trace, in the same order
  std::vector<Stream> streams;
  std::vector<int32_t> stream_of;       // [operation], index into streams
  std::vector<OperationClass> classes;  // [operation]
  std::vector<int32_t> phases;          // [operation], index into Trace::annotations or -1
};

Result<TracedTimeline> TimelineOf(const Trace& trace);

}  // namespace pipescope::trace
