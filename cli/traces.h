// Profilers' traces as one timeline: a single one's own, or several ranks' on one clock.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/timeline/timeline.h"
#include "sim/trace/align.h"
#include "sim/trace/pipeline.h"
#include "sim/trace/trace.h"

namespace pipescope::cli {

struct LoadedTraces {
  std::vector<trace::Trace> traces;
  timeline::Timeline timeline;
  // Of several:
  std::optional<trace::Alignment> alignment;
  std::optional<trace::PipelineTrace> pipeline;
};

Result<LoadedTraces> LoadTraces(const std::vector<std::string>& files);

}  // namespace pipescope::cli
