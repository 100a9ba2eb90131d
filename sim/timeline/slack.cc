#include "sim/timeline/slack.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

namespace pipescope::timeline {
namespace {

using schedules::ActionKind;

// Looks backwards in time: what starts later is known when its turn comes.
class Walk {
 public:
  explicit Walk(const Timeline& t)
      : t_(t),
        action_(t.actions.size(), Duration::Max()),
        operation_(t.operations.size(), Duration::Max()),
        sent_(t.actions.size()),
        after_(static_cast<size_t>(t.ranks)) {
    std::vector<bool> is_message(t.operations.size(), false);
    for (const Message& m : t.messages) is_message[Index(m.operation)] = true;
    for (size_t i = 0; i < t.operations.size(); ++i) {
      const Operation& op = t.operations[i];
      if (op.action < 0 && !is_message[i]) step_operations_.push_back(i);
      if (op.action < 0 && op.released_by >= 0) released_[op.released_by].push_back(i);
    }
    FindMessages();
  }

  std::vector<Duration> Run() {
    struct Event {
      Duration start, end;
      bool is_action;
      size_t index;
    };
    std::vector<Event> events;
    for (size_t a = 0; a < t_.actions.size(); ++a) {
      events.push_back({t_.actions[a].start, t_.actions[a].end, true, a});
    }
    for (const size_t i : step_operations_) {
      events.push_back({t_.operations[i].start, t_.operations[i].end, false, i});
    }
    std::sort(events.begin(), events.end(), [](const Event& x, const Event& y) {
      return std::tuple(x.start, x.end, x.is_action, x.index) >
             std::tuple(y.start, y.end, y.is_action, y.index);
    });
    for (const Event& e : events) e.is_action ? Action(e.index) : StepOperation(e.index);
    return std::move(action_);
  }

 private:
  static size_t Index(int32_t i) { return static_cast<size_t>(i); }
  // A step operation; the latest start of it and of all after it that spares the step's end.
  struct Later {
    Duration start, latest;
  };
  using Key = std::tuple<int, int, int, bool>;  // rank, stage, micro-batch, backward

  void FindMessages() {
    std::map<Key, size_t> at;
    for (size_t a = 0; a < t_.actions.size(); ++a) {
      const ActionSpan& s = t_.actions[a];
      const ActionKind kind = s.action.kind;
      const bool pair = kind == ActionKind::kOverlapped;
      if (kind == ActionKind::kWeightGrad) continue;
      const bool backward = kind != ActionKind::kForward && !pair;
      at[{s.rank, s.action.stage.value(), s.action.microbatch.value(), backward}] = a;
      if (!pair) continue;
      at[{s.rank, s.action.backward_stage.value(), s.action.backward_microbatch.value(), true}] = a;
    }
    for (const Message& m : t_.messages) {
      const int next = m.stage.value() + (m.backward ? -1 : 1);
      const auto from = at.find({m.from, m.stage.value(), m.microbatch.value(), m.backward});
      const auto to = at.find({m.to, next, m.microbatch.value(), m.backward});
      if (from != at.end()) sent_[from->second].push_back(m.operation);
      takes_[m.operation] = to == at.end() ? -1 : static_cast<int64_t>(to->second);
    }
  }

  // From the end of something on a rank to the first of the step's operations after it.
  Duration ToStepOperations(int32_t rank, Duration end) const {
    const auto& after = after_[Index(rank)];
    const auto first = std::partition_point(after.begin(), after.end(),
                                            [end](const Later& l) { return l.start >= end; });
    return (first == after.begin() ? t_.end : std::prev(first)->latest) - end;
  }

  // 0 where what takes it has not had its turn: it starts before what sends.
  Duration OfMessage(int32_t operation) const {
    Duration least = Duration::Max();
    const int64_t to = takes_.at(operation);
    if (to < 0) return Duration();
    const auto a = static_cast<size_t>(to);
    if (action_[a] == Duration::Max()) return Duration();
    const Duration spare = t_.actions[a].start - t_.operations[Index(operation)].end;
    least = std::max(spare, Duration()) + action_[a];
    const auto next = released_.find(operation);
    if (next == released_.end()) return least;
    for (const size_t i : next->second) {
      const auto id = static_cast<int32_t>(i);
      if (takes_.count(id) != 0) least = std::min(least, OfMessage(id));
    }
    return least;
  }

  void Action(size_t a) {
    const ActionSpan& span = t_.actions[a];
    Duration least = ToStepOperations(span.rank, span.end);
    if (static_cast<int>(a) + 1 < t_.rank_actions[Index(span.rank)].second) {
      least = std::min(least, t_.actions[a + 1].start - span.end + action_[a + 1]);
    }
    for (const int32_t message : sent_[a]) least = std::min(least, OfMessage(message));
    action_[a] = least;
  }

  void StepOperation(size_t i) {
    const Operation& op = t_.operations[i];
    Duration least = ToStepOperations(op.rank, op.end);
    const auto next = released_.find(static_cast<int32_t>(i));
    if (next != released_.end()) {
      for (const size_t k : next->second) least = std::min(least, operation_[k]);
    }
    operation_[i] = least;
    std::vector<Later>& after = after_[Index(op.rank)];
    after.push_back(
        {op.start, std::min(after.empty() ? t_.end : after.back().latest, op.start + least)});
  }

  const Timeline& t_;
  std::vector<Duration> action_, operation_;
  std::vector<std::vector<int32_t>> sent_;  // by action: operations that are its messages
  std::map<int32_t, int64_t> takes_;       // message's operation to the action that takes it, or -1
  std::vector<size_t> step_operations_;    // of no action, and no message
  std::vector<std::vector<Later>> after_;  // by rank: step operations, the last first
  std::map<int32_t, std::vector<size_t>> released_;  // operations of no action, by what released
};

}  // namespace

std::vector<Duration> SlackByAction(const Timeline& timeline) { return Walk(timeline).Run(); }

}  // namespace pipescope::timeline
