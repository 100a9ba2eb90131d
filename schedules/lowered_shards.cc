#include "schedules/lowered_shards.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "schedules/flow.h"
#include "schedules/lowered_csv.h"
#include "schedules/token.h"

namespace pipescope::schedules {
namespace {

using enum CommunicationKind;

// The stages an action computes on: one, or a pair's two.
std::vector<StageId> StagesOf(const Action& action) {
  if (action.kind == ActionKind::kOverlapped && action.backward_stage != action.stage) {
    return {action.stage, action.backward_stage};
  }
  return {action.stage};
}

// Walks a list from its end and keeps its stages in order of their next use.
class Upcoming {
 public:
  explicit Upcoming(int count) : count_(static_cast<size_t>(count)) {}

  void Prepend(const Action& action, size_t position) {
    const auto stages = StagesOf(action);
    for (auto stage = stages.rbegin(); stage != stages.rend(); ++stage) {
      std::erase_if(uses_, [&](const Use& use) { return use.stage == *stage; });
      uses_.insert(uses_.begin(), {*stage, position});
    }
  }

  std::vector<StageId> Next() const {
    size_t n = std::min(count_, uses_.size());
    if (n > 0 && n < uses_.size() && uses_[n].position == uses_[n - 1].position) ++n;
    std::vector<StageId> stages;
    for (size_t i = 0; i < n; ++i) stages.push_back(uses_[i].stage);
    return stages;
  }

 private:
  struct Use {
    StageId stage;
    size_t position = 0;
  };

  size_t count_;
  std::vector<Use> uses_;
};

class ShardChecker {
 public:
  ShardChecker(int32_t rank, const std::vector<LoweredAction>& list, std::vector<Finding>& findings)
      : rank_(rank), list_(list), findings_(findings) {
    for (size_t i = 0; i < list.size(); ++i) {
      const auto* action = std::get_if<Action>(&list[i]);
      if (action == nullptr) {
        const auto& c = std::get<Communication>(list[i]);
        if (c.kind == kUnshard || c.kind == kReshard) sharded_.insert(c.stage);
        continue;
      }
      for (const StageId stage : StagesOf(*action)) held_.insert(stage);
      if (EndsBackward(*action)) last_backward_[BackwardStage(*action)] = i;
    }
  }

  void Check() {
    for (size_t i = 0; i < list_.size() && findings_.size() < kMostFindings; ++i) {
      if (const auto* action = std::get_if<Action>(&list_[i])) {
        CheckResident(i, *action);
      } else if (const auto& c = std::get<Communication>(list_[i]); !IsMessage(c)) {
        Enter(i, c);
      }
    }
  }

 private:
  void Report(FindingKind kind, size_t position, const std::string& why) {
    findings_.push_back({kind, rank_, static_cast<int32_t>(position),
                         fmt::format("{} on rank {} (action {}) {}", ToToken(list_[position]),
                                     rank_, position, why)});
  }

  void CheckResident(size_t position, const Action& action) {
    for (const StageId stage : StagesOf(action)) {
      if (!sharded_.contains(stage) || resident_.contains(stage)) continue;
      Report(FindingKind::kOrder, position,
             fmt::format("runs while the parameters of stage {} are not gathered: expected "
                         "{}UNSHARD before it",
                         stage.value(), stage.value()));
    }
  }

  void Enter(size_t position, const Communication& c) {
    if (!held_.contains(c.stage)) {
      Report(FindingKind::kPlacement, position, "is for a stage that the rank does not compute");
    } else if (c.kind == kReduceGrad) {
      Reduce(position, c.stage);
    } else if (c.kind == kUnshard && !resident_.insert(c.stage).second) {
      Report(FindingKind::kDuplicate, position, "gathers parameters that are gathered already");
    } else if (c.kind == kReshard && resident_.erase(c.stage) == 0) {
      Report(FindingKind::kOrder, position, "gives up parameters that are not gathered");
    }
  }

  void Reduce(size_t position, StageId stage) {
    if (!reduced_.insert(stage).second) {
      Report(FindingKind::kDuplicate, position, "reduces gradients that are reduced already");
    }
    const auto last = last_backward_.find(stage);
    if (last == last_backward_.end() || last->second < position) return;
    Report(FindingKind::kOrder, position,
           fmt::format("comes before {} (action {}), which still adds to the gradients",
                       ToToken(list_[last->second]), last->second));
  }

  int32_t rank_;
  const std::vector<LoweredAction>& list_;
  std::vector<Finding>& findings_;
  std::set<StageId> sharded_, held_, resident_, reduced_;
  std::map<StageId, size_t> last_backward_;  // to its position
};

}  // namespace

std::vector<LoweredAction> WithUnshards(const std::vector<LoweredAction>& list,
                                        int max_active_stages) {
  Upcoming upcoming(max_active_stages);
  std::vector<std::vector<StageId>> next(list.size());
  for (size_t i = list.size(); i-- > 0;) {
    if (const auto* action = std::get_if<Action>(&list[i])) upcoming.Prepend(*action, i);
    next[i] = upcoming.Next();
  }
  std::vector<LoweredAction> out;
  std::set<StageId> active;
  for (size_t i = 0; i < list.size(); ++i) {
    const std::vector<StageId>& kept = next[i];
    const std::set<StageId> before = active;
    for (const StageId stage : before) {
      if (std::find(kept.begin(), kept.end(), stage) != kept.end()) continue;
      active.erase(stage);
      out.emplace_back(Communication{kReshard, stage, {}});
    }
    for (const StageId stage : kept) {
      if (active.insert(stage).second) out.emplace_back(Communication{kUnshard, stage, {}});
    }
    out.push_back(list[i]);
  }
  for (const StageId stage : active) out.emplace_back(Communication{kReshard, stage, {}});
  return out;
}

std::vector<LoweredAction> WithReductions(const std::vector<LoweredAction>& list) {
  std::map<StageId, size_t> last;
  for (size_t i = 0; i < list.size(); ++i) {
    const auto* action = std::get_if<Action>(&list[i]);
    if (action != nullptr && EndsBackward(*action)) last[BackwardStage(*action)] = i;
  }
  std::vector<LoweredAction> out;
  for (size_t i = 0; i < list.size(); ++i) {
    out.push_back(list[i]);
    const auto* action = std::get_if<Action>(&list[i]);
    if (action == nullptr || !EndsBackward(*action)) continue;
    const StageId stage = BackwardStage(*action);
    if (last[stage] == i) out.emplace_back(Communication{kReduceGrad, stage, {}});
  }
  return out;
}

void CheckShards(const LoweredSchedule& lowered, std::vector<Finding>& findings) {
  for (size_t rank = 0; rank < lowered.actions.size(); ++rank) {
    ShardChecker(static_cast<int32_t>(rank), lowered.actions[rank], findings).Check();
    if (findings.size() >= kMostFindings) return;
  }
}

}  // namespace pipescope::schedules
