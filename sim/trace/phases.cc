#include "sim/trace/phases.h"

#include <unordered_map>

namespace pipescope::trace {
namespace {

constexpr size_t kMostOpen = 1000;

// The innermost is the last opened: `open` is in the order of starts.
int32_t Innermost(const Trace& trace, const std::vector<int32_t>& open, int32_t thread) {
  for (auto at = open.rbegin(); at != open.rend(); ++at) {
    if (trace.annotations[static_cast<size_t>(*at)].thread == thread) return *at;
  }
  return open.empty() ? -1 : open.back();
}

}  // namespace

Result<std::vector<int32_t>> FindPhases(const Trace& trace) {
  std::unordered_map<int64_t, int32_t> of_correlation;
  std::vector<int32_t> open;
  size_t next = 0;
  for (const Launch& launch : trace.launches) {
    std::erase_if(open, [&](int32_t a) {
      return trace.annotations[static_cast<size_t>(a)].end() < launch.start;
    });
    for (; next < trace.annotations.size(); ++next) {
      const Annotation& a = trace.annotations[next];
      if (a.start > launch.start) break;
      const std::string& name = trace.names[static_cast<size_t>(a.name)];
      if (a.end() < launch.start || name.starts_with("ProfilerStep#")) continue;
      open.push_back(static_cast<int32_t>(next));
    }
    if (open.size() > kMostOpen) {
      return Fail(Error{
          "holds more than " + std::to_string(kMostOpen) + " annotations that are open at one time",
          {trace.file},
          "traceEvents"});
    }
    of_correlation[launch.correlation] = Innermost(trace, open, launch.thread);
  }
  std::vector<int32_t> phases;
  phases.reserve(trace.operations.size());
  for (const DeviceOperation& op : trace.operations) {
    const auto at = of_correlation.find(op.correlation);
    phases.push_back(at == of_correlation.end() ? -1 : at->second);
  }
  return phases;
}

timeline::Part PartOf(const std::string& annotation) {
  if (annotation.ends_with("(F)")) return timeline::Part::kForward;
  if (annotation.ends_with("(B)")) return timeline::Part::kInputGrad;
  if (annotation.ends_with("(W)")) return timeline::Part::kWeightGrad;
  return timeline::Part::kNone;
}

}  // namespace pipescope::trace
