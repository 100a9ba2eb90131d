#include "schedules/lowered_run.h"

#include <deque>
#include <functional>
#include <queue>

namespace pipescope::schedules {
namespace {

using Ranks = std::priority_queue<int32_t, std::vector<int32_t>, std::greater<>>;  // lowest first

// Ranks that wait are not asked again before what they wait for is done: the same steps, without
// asking every rank in each.
class Stepper {
 public:
  explicit Stepper(const LoweredFlow& flow, std::vector<char> receives)
      : flow_(flow),
        receives_(std::move(receives)),
        next_(flow.offset.begin(), flow.offset.end() - 1),
        waiter_(flow.rank_of.size(), -1) {}

  std::optional<int64_t> Run() {
    for (size_t r = 0; r < next_.size(); ++r) following_.push(static_cast<int32_t>(r));
    int64_t steps = 0;
    for (; !following_.empty(); ++steps) {
      std::swap(first_, following_);
      for (; !first_.empty(); first_.pop()) {
        // Popped only at the end: a rank woken now comes after this one.
        Ask(first_.top(), first_, again_);
      }
      while (!again_.empty()) {
        const int32_t rank = again_.top();
        again_.pop();
        Ask(rank, again_, following_);
      }
    }
    return done_ == static_cast<int64_t>(flow_.rank_of.size()) ? std::optional(steps)
                                                               : std::nullopt;
  }

 private:
  // Wakes those after `rank` into `now`, those before it into `later`.
  void Ask(int32_t rank, Ranks& now, Ranks& later) {
    int32_t& id = next_[static_cast<size_t>(rank)];
    const auto at = static_cast<size_t>(id);
    const int32_t partner = flow_.partner[at];
    if (receives_[at] != 0 && partner >= next_[static_cast<size_t>(flow_.RankOf(partner))]) {
      waiter_[static_cast<size_t>(partner)] = rank;
      return;
    }
    ++done_;
    if (++id < flow_.offset[static_cast<size_t>(rank) + 1]) following_.push(rank);
    const int32_t waiter = waiter_[at];
    if (waiter >= 0) (waiter > rank ? now : later).push(waiter);
  }

  const LoweredFlow& flow_;
  std::vector<char> receives_;   // [id]
  std::vector<int32_t> next_;    // [rank]
  std::vector<int32_t> waiter_;  // [id of a SEND]: the rank that stands before its RECV
  Ranks first_, again_, following_;
  int64_t done_ = 0;
};

bool IsReceive(const LoweredAction& action) {
  const auto* c = std::get_if<Communication>(&action);
  return c != nullptr && (c->kind == CommunicationKind::kReceiveForward ||
                          c->kind == CommunicationKind::kReceiveBackward);
}

}  // namespace

std::optional<int64_t> UnitSteps(const LoweredSchedule& lowered, const LoweredFlow& flow) {
  std::vector<char> receives;
  receives.reserve(flow.rank_of.size());
  for (const auto& rank : lowered.actions) {
    for (const LoweredAction& action : rank) receives.push_back(IsReceive(action) ? 1 : 0);
  }
  return Stepper(flow, std::move(receives)).Run();
}

std::vector<int32_t> RunBlocking(const LoweredFlow& flow) {
  std::vector<int32_t> next(flow.offset.begin(), flow.offset.end() - 1);
  std::deque<size_t> ready;
  for (size_t r = 0; r < next.size(); ++r) ready.push_back(r);
  while (!ready.empty()) {
    const size_t rank = ready.front();
    ready.pop_front();
    int32_t& id = next[rank];
    while (id < flow.offset[rank + 1]) {
      const int32_t partner = flow.partner[static_cast<size_t>(id)];
      if (partner >= 0) {
        const auto peer = static_cast<size_t>(flow.RankOf(partner));
        if (next[peer] != partner) break;  // the peer will come here and find this rank waiting
        ++next[peer];
        ready.push_back(peer);
      }
      ++id;
    }
  }
  return next;
}

}  // namespace pipescope::schedules
