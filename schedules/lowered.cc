#include "schedules/lowered.h"

#include <fmt/format.h>

#include <functional>
#include <queue>

#include "schedules/check.h"
#include "schedules/flow.h"
#include "schedules/lowered_shards.h"
#include "schedules/token.h"

namespace pipescope::schedules {
namespace {

using Lists = std::vector<std::vector<LoweredAction>>;
using Ranks = std::priority_queue<int32_t, std::vector<int32_t>, std::greater<>>;  // lowest first

// Takes the actions off the ranks' lists in turns and puts the messages between them.
class Turns {
 public:
  Turns(const Flow& flow, const Lists& lists)
      : flow_(flow),
        lists_(lists),
        out_(lists.size()),
        at_(lists.size(), 0),
        next_(flow.offset.begin(), flow.offset.end() - 1),
        first_waiter_(flow.needs.size(), -1),
        next_waiter_(lists.size(), -1),
        forward_to_(flow.needs.size(), -1),
        backward_to_(flow.needs.size(), -1) {
    for (size_t id = 0; id < flow.needs.size(); ++id) {
      const Needs& needs = flow.needs[id];
      if (needs.forward >= 0) forward_to_[static_cast<size_t>(needs.forward)] = Narrow(id);
      if (needs.backward >= 0) backward_to_[static_cast<size_t>(needs.backward)] = Narrow(id);
    }
  }

  Lists Take() {
    for (size_t r = 0; r < lists_.size(); ++r) following_.push(Narrow(r));
    while (!following_.empty()) {
      std::swap(now_, following_);
      while (!now_.empty()) {
        const int32_t rank = now_.top();
        now_.pop();
        TakeTurn(rank);
      }
    }
    return std::move(out_);
  }

 private:
  static int32_t Narrow(size_t n) { return static_cast<int32_t>(n); }

  // A rank that must wait leaves the turns until what it needs is there; looking at it every
  // round would find the same.
  void TakeTurn(int32_t rank) {
    const auto r = static_cast<size_t>(rank);
    const LoweredAction& item = lists_[r][at_[r]];
    const auto* action = std::get_if<Action>(&item);
    if (action != nullptr) {
      const int32_t open = Open(next_[r]);
      if (open >= 0) {
        next_waiter_[r] = first_waiter_[static_cast<size_t>(open)];
        first_waiter_[static_cast<size_t>(open)] = rank;
        return;
      }
    }
    out_[r].push_back(item);
    if (++at_[r] < lists_[r].size()) following_.push(rank);
    if (action == nullptr) return;
    const int32_t id = next_[r]++;
    Send(rank, id, *action);
    Wake(rank, id);
  }

  // The first need that is not there yet, or -1.
  int32_t Open(int32_t id) const {
    const Needs& needs = flow_.needs[static_cast<size_t>(id)];
    for (const int32_t need : {needs.forward, needs.backward}) {
      if (need >= 0 && need >= next_[static_cast<size_t>(flow_.RankOf(need))]) return need;
    }
    return -1;
  }

  void Send(int32_t rank, int32_t id, const Action& action) {
    using enum CommunicationKind;
    const int32_t forward = forward_to_[static_cast<size_t>(id)];
    const int32_t backward = backward_to_[static_cast<size_t>(id)];
    if (forward >= 0) {
      const StageId next(action.stage.value() + 1);
      Put(rank, {kSendForward, action.stage, action.microbatch});
      Put(flow_.RankOf(forward), {kReceiveForward, next, action.microbatch});
    }
    if (backward >= 0) {
      const StageId stage = BackwardStage(action);
      const MicrobatchId microbatch = BackwardMicrobatch(action);
      Put(rank, {kSendBackward, stage, microbatch});
      Put(flow_.RankOf(backward), {kReceiveBackward, StageId(stage.value() - 1), microbatch});
    }
  }

  void Put(int32_t rank, const Communication& communication) {
    out_[static_cast<size_t>(rank)].emplace_back(communication);
  }

  // Those that come after `rank` still have their turn in this round.
  void Wake(int32_t rank, int32_t id) {
    for (int32_t w = first_waiter_[static_cast<size_t>(id)]; w >= 0;
         w = next_waiter_[static_cast<size_t>(w)]) {
      (w > rank ? now_ : following_).push(w);
    }
  }

  const Flow& flow_;
  const Lists& lists_;
  Lists out_;
  std::vector<size_t> at_;                           // [rank]: position in its list
  std::vector<int32_t> next_;                        // [rank]: id of its next compute action
  std::vector<int32_t> first_waiter_, next_waiter_;  // [id], [rank]: chains of waiting ranks
  std::vector<int32_t> forward_to_, backward_to_;    // [id]: who on another rank needs it
  Ranks now_, following_;
};

}  // namespace

Result<LoweredSchedule> Lower(const Schedule& schedule, const Lowering& options) {
  if (options.max_active_stages && *options.max_active_stages < 1) {
    return Fail(fmt::format("{} active stages: expected at least 1", *options.max_active_stages));
  }
  const auto findings = Check(schedule);
  if (!findings.empty()) return Fail(InOneLine(findings.front()));
  Lists lists;
  for (const auto& rank : schedule.actions) {
    std::vector<LoweredAction> list(rank.begin(), rank.end());
    if (options.max_active_stages) list = WithUnshards(list, *options.max_active_stages);
    if (options.reduce_grad) list = WithReductions(list);
    lists.push_back(std::move(list));
  }
  return LoweredSchedule{schedule.name, schedule.ranks, schedule.stages, schedule.microbatches,
                         Turns(BuildFlow(schedule), lists).Take()};
}

Schedule WithoutCommunication(const LoweredSchedule& lowered) {
  Schedule schedule;
  schedule.name = lowered.name;
  schedule.ranks = lowered.ranks;
  schedule.stages = lowered.stages;
  schedule.microbatches = lowered.microbatches;
  for (const auto& rank : lowered.actions) {
    auto& actions = schedule.actions.emplace_back();
    for (const LoweredAction& item : rank) {
      if (const auto* action = std::get_if<Action>(&item)) actions.push_back(*action);
    }
  }
  return schedule;
}

Schedule MergeBackwards(Schedule schedule) {
  for (auto& rank : schedule.actions) {
    size_t kept = 0;
    for (size_t i = 0; i < rank.size(); ++i) {
      Action action = rank[i];
      if (action.kind == ActionKind::kInputGrad && i + 1 < rank.size() &&
          rank[i + 1] == Action{ActionKind::kWeightGrad, action.stage, action.microbatch, {}, {}}) {
        action.kind = ActionKind::kBackward;
        ++i;
      }
      rank[kept++] = action;
    }
    rank.resize(kept);
  }
  return schedule;
}

}  // namespace pipescope::schedules
