#include "reports/traced_step.h"

#include <fmt/format.h>

#include <filesystem>

#include "sim/base/quantity.h"
#include "sim/timeline/breakdown.h"

namespace pipescope::reports {
namespace {

std::string BoundBy(const timeline::Breakdown& b) {
  const Duration compute = b.forward + b.backward_input + b.backward_weight + b.overlapped;
  if (compute >= b.exposed_communication && compute >= b.bubble) return "computation";
  return b.exposed_communication >= b.bubble ? "waiting inside actions" : "pipeline bubble";
}

}  // namespace

StepResult TracedStep(const std::vector<trace::Trace>& traces, const timeline::Timeline& t) {
  const trace::Trace& first = traces.front();
  StepResult r;
  r.traced = true;
  r.experiment = std::filesystem::path(first.file).filename().string();
  r.schedule = "trace";
  r.fidelity = "trace";
  r.engine = "none";
  r.model = "a profiler's trace";
  r.cluster = first.device_name.empty() ? "an unnamed device" : first.device_name;
  r.plan = traces.size() == 1 ? "one process" : fmt::format("{} processes", traces.size());
  r.gpus = static_cast<int>(traces.size());
  r.timeline = t;
  r.step_time = t.end;
  r.bubbles = timeline::FindBubbles(t);
  r.breakdown = timeline::BreakdownByRank(t);
  r.span = timeline::LongestSpan(t);
  r.action_times = timeline::ActionTimesByRank(t);
  r.overlap = timeline::MeasureOverlap(t, r.bubbles);
  r.bound_by = BoundBy(r.mean_breakdown());
  return r;
}

}  // namespace pipescope::reports
