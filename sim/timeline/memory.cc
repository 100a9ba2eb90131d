#include "sim/timeline/memory.h"

#include <algorithm>

namespace pipescope::timeline {
namespace {

using schedules::ActionKind;

struct Change {
  Duration time;
  Bytes delta;
  StageId stage;
  Holds what;
};

class Changes {
 public:
  explicit Changes(const std::vector<StageActivations>& stages) : stages_(stages) {}

  void Add(const ActionSpan& span) {
    const StageId own = span.action.stage;
    switch (span.action.kind) {
      case ActionKind::kForward:
        Take(span, own, Holds::kForBackward);
        break;
      case ActionKind::kBackward:
        Work(span, own);
        Free(span, own, Holds::kForBackward);
        break;
      case ActionKind::kInputGrad:
        Work(span, own);
        Take(span, own, Holds::kForWeightGrad);
        Free(span, own, Holds::kForBackward);
        break;
      case ActionKind::kWeightGrad:
        Free(span, own, Holds::kForWeightGrad);
        break;
      case ActionKind::kOverlapped:
        Work(span, span.action.backward_stage);
        Take(span, own, Holds::kForBackward);
        Free(span, span.action.backward_stage, Holds::kForBackward);
        break;
    }
  }

  // What an action frees at its end is free when the next one starts at the same time.
  std::vector<Change> InOrder() {
    std::stable_sort(list_.begin(), list_.end(), [](const Change& a, const Change& b) {
      return a.time != b.time ? a.time < b.time : a.delta < b.delta;
    });
    return std::move(list_);
  }

 private:
  Bytes Size(StageId stage, Holds what) const {
    const StageActivations& s = stages_[stage.index()];
    return what == Holds::kForBackward     ? s.until_backward
           : what == Holds::kForWeightGrad ? s.until_weight_grad
                                           : s.working;
  }
  void Take(const ActionSpan& span, StageId stage, Holds what) {
    list_.push_back({span.start, Size(stage, what), stage, what});
  }
  void Free(const ActionSpan& span, StageId stage, Holds what) {
    list_.push_back({span.end, Bytes() - Size(stage, what), stage, what});
  }
  void Work(const ActionSpan& span, StageId stage) {
    if (Size(stage, Holds::kWorking) == Bytes(0)) return;
    Take(span, stage, Holds::kWorking);
    Free(span, stage, Holds::kWorking);
  }

  const std::vector<StageActivations>& stages_;
  std::vector<Change> list_;
};

// Who holds what, one entry a stage and reason.
void Apply(const Change& change, std::vector<Holder>& holders) {
  auto at = std::find_if(holders.begin(), holders.end(), [&](const Holder& h) {
    return h.stage == change.stage && h.what == change.what;
  });
  if (at == holders.end()) at = holders.insert(at, {change.stage, change.what, 0, Bytes()});
  at->microbatches += change.delta < Bytes() ? -1 : 1;
  at->bytes += change.delta;
}

void KeepLargest(std::vector<Holder>& holders) {
  std::erase_if(holders, [](const Holder& h) { return h.bytes == Bytes(); });
  std::stable_sort(holders.begin(), holders.end(),
                   [](const Holder& a, const Holder& b) { return a.bytes > b.bytes; });
}

}  // namespace

std::vector<MemoryCurve> ActivationCurves(const Timeline& timeline,
                                          const std::vector<StageActivations>& stages) {
  std::vector<MemoryCurve> curves;
  for (const auto& [first, last] : timeline.rank_actions) {
    Changes changes(stages);
    for (int a = first; a < last; ++a) changes.Add(timeline.actions[static_cast<size_t>(a)]);
    MemoryCurve curve;
    std::vector<Holder> holders;
    Bytes now;
    for (const Change& change : changes.InOrder()) {
      now += change.delta;
      Apply(change, holders);
      if (!curve.points.empty() && curve.points.back().time == change.time) {
        curve.points.back().activations = now;
      } else {
        curve.points.push_back({change.time, now});
      }
      if (now > curve.peak) {
        curve.peak = now;
        curve.peak_time = change.time;
        curve.held = holders;
      }
    }
    KeepLargest(curve.held);
    curves.push_back(std::move(curve));
  }
  return curves;
}

}  // namespace pipescope::timeline
