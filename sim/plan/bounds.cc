#include "sim/plan/bounds.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include "sim/lowering/action_template.h"
#include "sim/lowering/ownership.h"
#include "sim/lowering/phase_costs.h"
#include "sim/memory_use.h"

namespace pipescope::plan {
namespace {

using schedules::Action;
using schedules::ActionKind;

// Longest paths through an action's template.
struct Paths {
  Duration whole;
  Duration through;  // from where the input is taken to where the result is given
};

class ActionPaths {
 public:
  ActionPaths(const Experiment& e, const model::Layout& layout, const costs::Spread& spread)
      : experiment_(e), layout_(layout), costs_(e, spread, graph_) {}

  const Paths& Of(const Action& action) {
    const auto key = std::make_tuple(action.kind, action.stage, action.backward_stage);
    const auto at = known_.find(key);
    if (at != known_.end()) return at->second;
    const bool pair = action.kind == ActionKind::kOverlapped;
    const model::StageLayout& stage = layout_[action.stage.index()];
    const model::StageLayout& backward = pair ? layout_[action.backward_stage.index()] : stage;
    const ActionTemplate made =
        MakeActionTemplate(action.kind, stage, backward, experiment_, costs_);
    const bool forward = action.kind == ActionKind::kForward;
    return known_[key] = {Longest(made, -1, -1),
                          Longest(made, forward ? made.takes_activation : made.takes_gradient,
                                  forward ? made.gives_activation : made.gives_gradient)};
  }

 private:
  // From operation `from` (-1: any) to the end of `to` (-1: any). Operations wait for earlier ones.
  Duration Longest(const ActionTemplate& made, int32_t from, int32_t to) const {
    constexpr Duration kNone(-1);
    std::vector<Duration> end(made.operations.size(), kNone);
    Duration longest;
    for (size_t i = 0; i < made.operations.size(); ++i) {
      Duration start = from < 0 || static_cast<int32_t>(i) == from ? Duration() : kNone;
      for (const int32_t before : made.operations[i].after) {
        start = std::max(start, end[static_cast<size_t>(before)]);
      }
      if (start == kNone) continue;
      end[i] = start + costs_.TimeOf(made.operations[i].templ);
      if (to < 0 || static_cast<int32_t>(i) == to) longest = std::max(longest, end[i]);
    }
    return longest;
  }

  const Experiment& experiment_;
  const model::Layout& layout_;
  TaskGraph graph_;
  PhaseCosts costs_;
  std::map<std::tuple<ActionKind, StageId, StageId>, Paths> known_;
};

bool IsBackward(const Action& a) {
  return a.kind == ActionKind::kBackward || a.kind == ActionKind::kInputGrad;
}

bool HasPairs(const schedules::Schedule& schedule) {
  for (const auto& rank : schedule.actions) {
    for (const Action& a : rank) {
      if (a.kind == ActionKind::kOverlapped) return true;
    }
  }
  return false;
}

// What a micro-batch passes before it reaches `action`'s stage, or its gradient after. Whether a
// stage's backward pass is whole or split is the schedule's choice; the shorter one counts.
Duration Passed(const Action& action, ActionPaths& paths) {
  Duration sum;
  for (int s = 0; s < action.stage.value(); ++s) {
    Action other = action;
    other.stage = StageId(s);
    Duration through = paths.Of(other).through;
    if (IsBackward(action)) {
      const bool whole = action.kind == ActionKind::kBackward;
      other.kind = whole ? ActionKind::kInputGrad : ActionKind::kBackward;
      through = std::min(through, paths.Of(other).through);
    }
    sum += through;
  }
  return sum;
}

// The embedding has no input gradient: I of a stage that is nothing else takes no time.
bool TakesNoTime(const Action& action, const model::Layout& layout) {
  if (action.kind != ActionKind::kInputGrad) return false;
  const auto& blocks = layout[action.stage.index()].blocks;
  return std::all_of(blocks.begin(), blocks.end(), [](const model::Block& block) {
    return block.kind == model::BlockKind::kEmbedding;
  });
}

}  // namespace

Duration LeastTime(const Experiment& e, const schedules::Schedule& schedule,
                   const model::Layout& layout, const costs::Spread& spread) {
  ActionPaths paths(e, layout, spread);
  const bool pairs = HasPairs(schedule);
  Duration least;
  for (const auto& rank : schedule.actions) {
    Duration work, before_last;
    const Action* last = nullptr;
    for (const Action& action : rank) {
      if (IsBackward(action)) {
        last = &action;
        before_last = work;
      }
      work += paths.Of(action).whole;
    }
    Duration head, tail;
    if (!pairs && !rank.empty() && rank.front().kind == ActionKind::kForward) {
      head = Passed(rank.front(), paths);
    }
    if (!pairs && last != nullptr) tail = Passed(*last, paths) + paths.Of(*last).through;
    least = std::max(least, head + std::max(work, before_last + tail));
  }
  return least;
}

Bytes PeakMemory(const Experiment& e, const schedules::Schedule& schedule,
                 const model::Layout& layout) {
  timeline::Timeline line;
  for (size_t r = 0; r < schedule.actions.size(); ++r) {
    const int first = static_cast<int>(line.actions.size());
    int64_t now = 0;
    for (const Action& action : schedule.actions[r]) {
      timeline::ActionSpan span;
      span.rank = static_cast<int32_t>(r);
      span.action = action;
      span.start = Duration(now);
      span.end = Duration(now + (TakesNoTime(action, layout) ? 0 : 1));
      now += 2;
      line.actions.push_back(span);
    }
    line.rank_actions.emplace_back(first, static_cast<int>(line.actions.size()));
  }
  const auto curves = timeline::ActivationCurves(line, StageActivationsOf(e, layout));
  Bytes peak;
  for (const RankMemory& m : MemoryByRank(e, layout, OwnershipOf(schedule), curves)) {
    peak = std::max(peak, m.total_peak);
  }
  return peak;
}

Bytes LeastMemory(const Experiment& e, const model::Layout& layout) {
  int64_t parameters = 0;
  for (const model::StageLayout& stage : layout) {
    const HeldParameters held = StageParameters(e, stage, true);
    parameters += held.shared + held.expert;
  }
  const int64_t bytes = (2 + GradientBytesPerParameter(e)) * parameters;
  return Bytes(bytes / e.parallel.pipeline) + e.reserved;
}

}  // namespace pipescope::plan
