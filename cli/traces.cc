#include "cli/traces.h"

#include <utility>

#include "sim/trace/read.h"
#include "sim/trace/summary.h"

namespace pipescope::cli {

Result<LoadedTraces> LoadTraces(const std::vector<std::string>& files) {
  constexpr size_t kMostTraces = 256;
  if (files.size() > kMostTraces) {
    return Fail("more than " + std::to_string(kMostTraces) + " traces");
  }
  LoadedTraces loaded;
  for (const std::string& file : files) {
    auto trace = trace::ReadTrace(file);
    if (!trace) return Fail(trace.error());
    loaded.traces.push_back(*std::move(trace));
  }
  if (loaded.traces.size() == 1) {
    auto timeline = trace::TimelineOf(loaded.traces.front());
    if (!timeline) return Fail(timeline.error());
    loaded.timeline = std::move(timeline->timeline);
    return loaded;
  }
  auto alignment = trace::Align(loaded.traces);
  if (!alignment) return Fail(alignment.error());
  auto pipeline = trace::PipelineOf(loaded.traces, *alignment);
  if (!pipeline) return Fail(pipeline.error());
  loaded.timeline = pipeline->timeline;
  loaded.alignment = *std::move(alignment);
  loaded.pipeline = *std::move(pipeline);
  return loaded;
}

}  // namespace pipescope::cli
