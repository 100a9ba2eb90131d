#include "sim/timeline/bubbles.h"

#include <algorithm>
#include <numeric>

namespace pipescope::timeline {
namespace {

using schedules::ActionKind;

bool HasForward(ActionKind kind) {
  return kind == ActionKind::kForward || kind == ActionKind::kOverlapped;
}

class Finder {
 public:
  explicit Finder(const Timeline& timeline)
      : timeline_(timeline),
        message_of_(timeline.operations.size(), -1),
        busy_(static_cast<size_t>(timeline.ranks)) {
    for (size_t i = 0; i < timeline.messages.size(); ++i) {
      message_of_[static_cast<size_t>(timeline.messages[i].operation)] = static_cast<int32_t>(i);
    }
    for (const ActionSpan& span : timeline.actions) {
      busy_[static_cast<size_t>(span.rank)] += span.end - span.start;
    }
  }

  Bubbles Run() {
    for (int rank = 0; rank < timeline_.ranks; ++rank) steady_.push_back(SteadyOf(rank));
    const double slowest = SlowestPace();
    for (int rank = 0; rank < timeline_.ranks; ++rank) AddRank(rank, slowest);
    Duration busy;
    for (const Duration b : found_.busy) busy += b;
    const double all = timeline_.pipeline_end.seconds() * timeline_.ranks;
    found_.makespan_rate = all > 0 ? 1 - busy.seconds() / all : 0;
    for (const Gap& gap : found_.gaps) {
      found_.by_cause[static_cast<size_t>(gap.cause)] += gap.end - gap.start;
    }
    return std::move(found_);
  }

 private:
  // Where a rank's steady part lies, how long it works there, and on how many micro-batches.
  struct Steady {
    int first_backward = 0;  // the steady part begins at its end
    int last_forward = 0;    // and ends with this one
    int microbatches = 0;    // forwards in it, alone or in a pair
    Duration busy;
    Duration wait;
    // Seconds of work a micro-batch.
    double pace() const { return microbatches == 0 ? 0 : busy.seconds() / microbatches; }
  };

  Steady SteadyOf(int rank) const {
    const auto [first, last] = timeline_.rank_actions[static_cast<size_t>(rank)];
    Steady s;
    s.first_backward = last;
    s.last_forward = first - 1;
    for (int a = first; a < last; ++a) {
      const ActionSpan& span = timeline_.actions[static_cast<size_t>(a)];
      if (span.action.kind != ActionKind::kForward) {
        s.first_backward = std::min(s.first_backward, a);
      }
      if (HasForward(span.action.kind)) s.last_forward = a;
    }
    for (int a = s.first_backward + 1; a <= s.last_forward; ++a) {
      const ActionSpan& span = timeline_.actions[static_cast<size_t>(a)];
      s.busy += span.end - span.start;
      s.microbatches += HasForward(span.action.kind);
    }
    Walk(first, last, [&](int a, Duration from, Duration to) {
      if (a > s.first_backward && a <= s.last_forward) s.wait += to - from;
    });
    return s;
  }

  // Of the rank that sets the pace. Short steady parts do not count: what happens to be in them is
  // not what a micro-batch costs.
  double SlowestPace() const {
    int most = 0;
    for (const Steady& s : steady_) most = std::max(most, s.microbatches);
    double slowest = 0;
    for (const Steady& s : steady_) {
      if (2 * s.microbatches >= most) slowest = std::max(slowest, s.pace());
    }
    return slowest;
  }

  void AddRank(int rank, double slowest) {
    const auto [first, last] = timeline_.rank_actions[static_cast<size_t>(rank)];
    const Steady& s = steady_[static_cast<size_t>(rank)];
    const double lighter = (slowest - s.pace()) * s.microbatches;
    const double imbalance =
        s.wait == Duration() ? 0 : std::clamp(lighter / s.wait.seconds(), 0.0, 1.0);
    Walk(first, last, [&](int a, Duration from, Duration to) {
      if (a <= s.first_backward) {
        Add(rank, GapCause::kWarmUp, a, from, to, to - Produced(a, from, to));
      } else if (a > s.last_forward) {
        Add(rank, GapCause::kDrain, a, from, to, to - Produced(a, from, to));
      } else {
        AddSteady(rank, a, from, to, imbalance);
      }
    });
    const Duration end =
        last > first ? timeline_.actions[static_cast<size_t>(last - 1)].end : Duration();
    Add(rank, GapCause::kDrain, -1, end, timeline_.pipeline_end);
    const Duration own = busy_[static_cast<size_t>(rank)];
    found_.busy.push_back(own);
    found_.per_rank.push_back(timeline_.pipeline_end - own);
  }

  // Calls `gap(action that ends it, from, to)` for every wait before an action.
  template <class Callback>
  void Walk(int first, int last, Callback gap) const {
    Duration at;
    for (int a = first; a < last; ++a) {
      const ActionSpan& span = timeline_.actions[static_cast<size_t>(a)];
      if (span.start > at) gap(a, at, span.start);
      at = span.end;
    }
  }

  void Add(int rank, GapCause cause, int action, Duration from, Duration to,
           Duration message = Duration()) {
    if (to > from) found_.gaps.push_back({rank, cause, action, from, to, message});
  }

  // When what the action's first operation waited for was complete on its rank; from then on its
  // message was under way. Within [from, to].
  Duration Produced(int action, Duration from, Duration to) const {
    const int32_t cause = Releaser(timeline_.actions[static_cast<size_t>(action)]);
    if (cause < 0) return to;
    const Operation& op = timeline_.operations[static_cast<size_t>(cause)];
    const bool message = message_of_[static_cast<size_t>(cause)] >= 0;
    return std::clamp(message ? op.start : op.end, from, to);
  }

  void AddSteady(int rank, int action, Duration from, Duration to, double imbalance) {
    const Duration cut = std::min(from + Seconds((to - from).seconds() * imbalance), to);
    const Duration produced = Produced(action, cut, to);
    Add(rank, GapCause::kImbalance, action, from, cut);
    Add(rank, GapCause::kDependency, action, cut, produced);
    Add(rank, GapCause::kCommunication, action, produced, to, to - produced);
  }

  // The operation whose end let the action's earliest operation start.
  int32_t Releaser(const ActionSpan& span) const {
    for (int32_t i = span.first; i < span.first + span.count; ++i) {
      const Operation& op = timeline_.operations[static_cast<size_t>(i)];
      if (op.start == span.start) return op.released_by;
    }
    return -1;
  }

  const Timeline& timeline_;
  std::vector<int32_t> message_of_;
  std::vector<Duration> busy_;  // time in actions, per rank
  std::vector<Steady> steady_;
  Bubbles found_;
};

}  // namespace

const char* Name(GapCause cause) {
  switch (cause) {
    case GapCause::kWarmUp:
      return "warm-up";
    case GapCause::kDrain:
      return "drain";
    case GapCause::kDependency:
      return "dependency";
    case GapCause::kCommunication:
      return "communication";
    case GapCause::kImbalance:
      return "imbalance";
  }
  return "";
}

Bubbles FindBubbles(const Timeline& timeline) { return Finder(timeline).Run(); }

}  // namespace pipescope::timeline
