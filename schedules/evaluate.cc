#include "schedules/evaluate.h"

#include <algorithm>
#include <numeric>

#include "schedules/check.h"
#include "schedules/token.h"

namespace pipescope::schedules {
namespace {

constexpr int kSimpleKinds = 4;  // F, I, W, B: the kinds before kOverlapped
static_assert(static_cast<int>(ActionKind::kOverlapped) == kSimpleKinds);

// Numbers the pairs of stages that overlap; few ever do, so a list by forward stage is searched.
class PairNumbers {
 public:
  explicit PairNumbers(Prepared& prepared)
      : prepared_(prepared), known_(static_cast<size_t>(prepared.stages)) {}

  int32_t Of(const Action& action) {
    auto& known = known_[action.stage.index()];
    const int32_t backward = action.backward_stage.value();
    for (const auto& [stage, number] : known) {
      if (stage == backward) return number;
    }
    const auto number =
        kSimpleKinds * prepared_.stages + static_cast<int32_t>(prepared_.pairs.size());
    prepared_.pairs.emplace_back(action.stage.value(), backward);
    known.emplace_back(backward, number);
    return number;
  }

 private:
  Prepared& prepared_;
  std::vector<std::vector<std::pair<int32_t, int32_t>>> known_;
};

int PeakActivations(const std::vector<Action>& actions) {
  int live = 0, peak = 0;
  for (const Action& action : actions) {
    if (HasForward(action)) peak = std::max(peak, ++live);
    if (EndsBackward(action)) --live;
  }
  return peak;
}

void FillDurations(const Prepared& prepared, const Costs& costs, std::vector<double>& table) {
  table.clear();
  for (int s = 0; s < prepared.stages; ++s) table.push_back(costs.Forward(s));
  for (int s = 0; s < prepared.stages; ++s) table.push_back(costs.InputGrad(s));
  for (int s = 0; s < prepared.stages; ++s) table.push_back(costs.WeightGrad(s));
  for (int s = 0; s < prepared.stages; ++s) table.push_back(costs.Backward(s));
  for (const auto& [s, t] : prepared.pairs) table.push_back(costs.Overlapped(s, t));
}

void Summarize(const Prepared& prepared, Timing& timing) {
  const std::vector<int32_t>& offset = prepared.flow.offset;
  timing.makespan = timing.span = 0;
  for (size_t r = 0; r + 1 < offset.size(); ++r) {
    const auto first = static_cast<size_t>(offset[r]), last = static_cast<size_t>(offset[r + 1]);
    if (first == last) continue;
    timing.makespan = std::max(timing.makespan, timing.end[last - 1]);
    timing.span = std::max(timing.span, timing.end[last - 1] - timing.start[first]);
  }
  for (size_t r = 0; r < timing.busy.size(); ++r) {
    timing.bubble[r] = timing.makespan - timing.busy[r];
  }
  const double mean = std::accumulate(timing.busy.begin(), timing.busy.end(), 0.0) /
                      std::max<double>(1, static_cast<double>(timing.busy.size()));
  timing.makespan_rate = timing.makespan > 0 ? 1 - mean / timing.makespan : 0;
  timing.span_rate = timing.span > 0 ? 1 - mean / timing.span : 0;
}

}  // namespace

Result<Prepared> Prepare(const Schedule& schedule) {
  Prepared prepared;
  prepared.flow = BuildFlow(schedule);
  if (!prepared.flow.complete) {
    const std::vector<Finding> findings = Check(schedule);
    PIPESCOPE_CHECK(!findings.empty());
    return Fail(InOneLine(findings.front()));
  }
  prepared.ranks = schedule.ranks;
  prepared.stages = schedule.stages;
  prepared.duration.reserve(prepared.flow.needs.size());
  PairNumbers pairs(prepared);
  for (const auto& rank : schedule.actions) {
    prepared.peak_activations.push_back(PeakActivations(rank));
    for (const Action& action : rank) {
      prepared.duration.push_back(action.kind == ActionKind::kOverlapped
                                      ? pairs.Of(action)
                                      : static_cast<int32_t>(action.kind) * schedule.stages +
                                            action.stage.value());
    }
  }
  return prepared;
}

void Evaluate(const Prepared& prepared, const Costs& costs, Timing& timing) {
  FillDurations(prepared, costs, timing.durations);
  const Flow& flow = prepared.flow;
  timing.start.resize(flow.needs.size());
  timing.end.resize(flow.needs.size());
  timing.busy.assign(flow.stopped.size(), 0);
  timing.bubble.resize(flow.stopped.size());
  const double* const durations = timing.durations.data();
  double* const start = timing.start.data();
  double* const end = timing.end.data();
  for (const Run& run : flow.runs) {
    const auto rank = static_cast<size_t>(run.rank);
    double clock = run.begin == flow.offset[rank] ? 0 : end[run.begin - 1];
    double busy = timing.busy[rank];
    for (int32_t id = run.begin; id < run.end; ++id) {
      const Needs& needs = flow.needs[static_cast<size_t>(id)];
      if (needs.forward >= 0) clock = std::max(clock, end[needs.forward] + costs.comm);
      if (needs.backward >= 0) clock = std::max(clock, end[needs.backward] + costs.comm);
      const double duration = durations[prepared.duration[static_cast<size_t>(id)]];
      start[id] = clock;
      clock += duration;
      busy += duration;
      end[id] = clock;
    }
    timing.busy[rank] = busy;
  }
  Summarize(prepared, timing);
}

Timing Evaluate(const Prepared& prepared, const Costs& costs) {
  Timing timing;
  Evaluate(prepared, costs, timing);
  return timing;
}

double LongestBubble(const Timing& timing) {
  return *std::max_element(timing.bubble.begin(), timing.bubble.end());
}

double LongestSpanBubble(const Prepared& prepared, const Timing& timing) {
  double longest = 0;
  for (size_t r = 0; r < timing.busy.size(); ++r) {
    const auto first = static_cast<size_t>(prepared.flow.offset[r]);
    const auto last = static_cast<size_t>(prepared.flow.offset[r + 1]) - 1;
    longest = std::max(longest, timing.end[last] - timing.start[first] - timing.busy[r]);
  }
  return longest;
}

}  // namespace pipescope::schedules
