#include "sim/timeline/memory.h"

#include <algorithm>

namespace pipescope::timeline {
namespace {

using schedules::ActionKind;

struct Change {
  Duration time;
  Bytes delta;
};

void AddChanges(const ActionSpan& span, const std::vector<StageActivations>& stages,
                std::vector<Change>& changes) {
  const StageActivations& own = stages[span.action.stage.index()];
  const auto at_start = [&](Bytes b) { changes.push_back({span.start, b}); };
  const auto at_end = [&](Bytes b) { changes.push_back({span.end, Bytes() - b}); };
  const auto works = [&](const StageActivations& stage) {
    if (stage.working == Bytes(0)) return;
    at_start(stage.working);
    at_end(stage.working);
  };
  switch (span.action.kind) {
    case ActionKind::kForward:
      at_start(own.until_backward);
      break;
    case ActionKind::kBackward:
      works(own);
      at_end(own.until_backward);
      break;
    case ActionKind::kInputGrad:
      works(own);
      at_start(own.until_weight_grad);
      at_end(own.until_backward);
      break;
    case ActionKind::kWeightGrad:
      at_end(own.until_weight_grad);
      break;
    case ActionKind::kOverlapped:
      works(stages[span.action.backward_stage.index()]);
      at_start(own.until_backward);
      at_end(stages[span.action.backward_stage.index()].until_backward);
      break;
  }
}

}  // namespace

std::vector<MemoryCurve> ActivationCurves(const Timeline& timeline,
                                          const std::vector<StageActivations>& stages) {
  std::vector<MemoryCurve> curves;
  for (const auto& [first, last] : timeline.rank_actions) {
    std::vector<Change> changes;
    for (int a = first; a < last; ++a) {
      AddChanges(timeline.actions[static_cast<size_t>(a)], stages, changes);
    }
    // What an action frees at its end is free when the next one starts at the same time.
    std::stable_sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
      return a.time != b.time ? a.time < b.time : a.delta < b.delta;
    });
    MemoryCurve curve;
    Bytes now;
    for (const Change& change : changes) {
      now += change.delta;
      if (!curve.points.empty() && curve.points.back().time == change.time) {
        curve.points.back().activations = now;
      } else {
        curve.points.push_back({change.time, now});
      }
      if (now > curve.peak) {
        curve.peak = now;
        curve.peak_time = change.time;
      }
    }
    curves.push_back(std::move(curve));
  }
  return curves;
}

}  // namespace pipescope::timeline
