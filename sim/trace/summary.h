// Where a traced device's time went: by stream, by class of operation, by annotated phase, and how
// much of the communication ran beside computation.
//
// Busy means that at least one operation runs (the union of intervals). A phase that occurs several
// times, such as once a layer, gives one busy time for each: from them come mean, least and most.
#pragma once

#include <string>
#include <vector>

#include "sim/timeline/breakdown.h"
#include "sim/trace/timeline_of.h"
#include "sim/trace/trace.h"

namespace pipescope::trace {

struct StreamUse {
  Stream stream;
  int64_t operations = 0;
  Duration busy;
};

struct ClassUse {
  OperationClass operation_class = OperationClass::kOther;
  int64_t operations = 0;
  Duration total, least, most;
  int64_t fewest_blocks = 0, most_blocks = 0;  // of its kernels' grids, 0: none
};

struct PhaseUse {
  std::string name;  // "" for what no annotation launched
  timeline::Lane lane = timeline::Lane::kCompute;
  int64_t times = 0;
  int64_t operations = 0;
  Duration mean, least, most;  // busy
};

struct Summary {
  Duration span;  // first operation's start to last one's end
  Duration idle;  // of it, no operation runs
  timeline::Overlap overlap;
  std::vector<StreamUse> streams;
  std::vector<ClassUse> classes;  // by total, the longest first
  std::vector<PhaseUse> phases;   // by the first operation's start
};

Summary Summarize(const Trace& trace, const TracedTimeline& timeline);

}  // namespace pipescope::trace
