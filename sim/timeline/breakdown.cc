#include "sim/timeline/breakdown.h"

#include <algorithm>

namespace pipescope::timeline {
namespace {

using schedules::ActionKind;

const Label& LabelOf(const Timeline& t, const Operation& op) {
  return t.labels[static_cast<size_t>(op.label)];
}

// Sorted disjoint intervals of one rank in which its compute lane works on actions. Operations of
// the simulator's lane follow each other; of a trace's, which may have several streams, they
// overlap.
using Intervals = std::vector<std::pair<Duration, Duration>>;

std::vector<Intervals> ComputeIntervals(const Timeline& t) {
  std::vector<Intervals> busy(static_cast<size_t>(t.ranks));
  for (const ActionSpan& span : t.actions) {
    Intervals& mine = busy[static_cast<size_t>(span.rank)];
    for (int32_t i = span.first; i < span.first + span.count; ++i) {
      const Operation& op = t.operations[static_cast<size_t>(i)];
      if (LabelOf(t, op).lane != Lane::kCompute || op.end == op.start) continue;
      if (!mine.empty() && op.start <= mine.back().second) {
        mine.back().second = std::max(mine.back().second, op.end);
      } else {
        mine.emplace_back(op.start, op.end);
      }
    }
  }
  return busy;
}

// How much of [from, to) is covered.
Duration Covered(const Intervals& busy, Duration from, Duration to) {
  Duration sum;
  auto at = std::lower_bound(busy.begin(), busy.end(), from,
                             [](const auto& i, Duration d) { return i.second <= d; });
  for (; at != busy.end() && at->first < to; ++at) {
    sum += std::min(at->second, to) - std::max(at->first, from);
  }
  return sum;
}

struct Window {
  Duration from;
  Duration to;
};

std::vector<Window> SteadyWindows(const Timeline& t) {
  std::vector<Window> windows;
  for (const auto& [first, last] : t.rank_actions) {
    Window pairs{Duration::Max(), Duration()};
    Window plain{Duration::Max(), Duration()};
    for (int a = first; a < last; ++a) {
      const ActionSpan& span = t.actions[static_cast<size_t>(a)];
      if (span.action.kind == ActionKind::kOverlapped) {
        pairs.from = std::min(pairs.from, span.start);
        pairs.to = span.end;
      }
      if (span.action.kind == ActionKind::kForward) {
        plain.to = span.end;
      } else {
        plain.from = std::min(plain.from, span.start);
      }
    }
    const Window steady = pairs.to > Duration() ? pairs : plain;
    // An order without a steady part (GPipe) is measured as a whole.
    windows.push_back(steady.to > steady.from ? steady : Window{Duration(), t.pipeline_end});
  }
  return windows;
}

Overlap Measure(const Timeline& t, const Bubbles& bubbles, const std::vector<Intervals>& busy,
                const std::vector<Window>& windows) {
  Overlap sum;
  for (int r = 0; r < t.ranks; ++r) {
    const Window& w = windows[static_cast<size_t>(r)];
    if (w.to > w.from) sum.compute_busy += Covered(busy[static_cast<size_t>(r)], w.from, w.to);
  }
  const auto inside = [&](Duration start, Duration end, int rank) {
    const Window& w = windows[static_cast<size_t>(rank)];
    return Window{std::max(start, w.from), std::max(std::max(start, w.from), std::min(end, w.to))};
  };
  for (const Operation& op : t.operations) {
    if (op.action < 0 || LabelOf(t, op).lane != Lane::kCommunication) continue;
    const Window w = inside(op.start, op.end, op.rank);
    sum.communication_busy += w.to - w.from;
    sum.communication_hidden += Covered(busy[static_cast<size_t>(op.rank)], w.from, w.to);
  }
  for (const Message& message : t.messages) {
    const Operation& op = t.operations[static_cast<size_t>(message.operation)];
    const Window w = inside(op.start, op.end, message.to);
    sum.message_time += w.to - w.from;
  }
  sum.message_hidden = sum.message_time;
  for (const Gap& gap : bubbles.gaps) {
    const Window w = inside(gap.end - gap.message, gap.end, gap.rank);
    sum.message_hidden -= w.to - w.from;
  }
  sum.message_hidden = std::max(sum.message_hidden, Duration());
  return sum;
}

// Operations of a trace's compute lane may overlap: an instant counts once, to the operation that
// began first.
void CountAction(const Timeline& t, const ActionSpan& span, Breakdown& b) {
  Duration compute;
  Duration until = span.start;
  for (int32_t i = span.first; i < span.first + span.count; ++i) {
    const Operation& op = t.operations[static_cast<size_t>(i)];
    const Label& label = LabelOf(t, op);
    if (label.lane != Lane::kCompute) continue;
    const Duration end = std::max(until, std::min(op.end, span.end));
    const Duration length = end - std::max(until, std::min(op.start, span.end));
    until = end;
    compute += length;
    if (span.action.kind == ActionKind::kOverlapped) {
      b.overlapped += length;
    } else if (label.part == Part::kForward) {
      b.forward += length;
    } else if (label.part == Part::kInputGrad) {
      b.backward_input += length;
    } else {
      b.backward_weight += length;
    }
  }
  b.exposed_communication += (span.end - span.start) - compute;
}

}  // namespace

std::vector<Breakdown> BreakdownByRank(const Timeline& t) {
  std::vector<Breakdown> ranks(static_cast<size_t>(t.ranks));
  std::vector<Duration> in_actions(ranks.size());
  for (const ActionSpan& span : t.actions) {
    CountAction(t, span, ranks[static_cast<size_t>(span.rank)]);
    in_actions[static_cast<size_t>(span.rank)] += span.end - span.start;
  }
  for (const Operation& op : t.operations) {
    if (op.action >= 0 || LabelOf(t, op).kind != OperationKind::kOptimizer) continue;
    const Duration from = std::max(op.start, t.pipeline_end);
    if (op.end > from) ranks[static_cast<size_t>(op.rank)].optimizer += op.end - from;
  }
  for (size_t r = 0; r < ranks.size(); ++r) {
    ranks[r].bubble = t.pipeline_end - in_actions[r];
    ranks[r].exposed_communication += t.end - t.pipeline_end - ranks[r].optimizer;
  }
  return ranks;
}

Duration LongestSpan(const Timeline& t) {
  std::vector<Window> ranks(static_cast<size_t>(t.ranks), {Duration::Max(), Duration()});
  for (const ActionSpan& span : t.actions) {
    Window& rank = ranks[static_cast<size_t>(span.rank)];
    rank = {std::min(rank.from, span.start), std::max(rank.to, span.end)};
  }
  std::vector<Duration> after(ranks.size());  // work once the rank's actions are done
  for (const Operation& op : t.operations) {
    if (op.action >= 0 || LabelOf(t, op).kind == OperationKind::kMessage) continue;
    if (op.start >= ranks[static_cast<size_t>(op.rank)].to) {
      after[static_cast<size_t>(op.rank)] += op.end - op.start;
    }
  }
  Duration longest;
  for (size_t r = 0; r < ranks.size(); ++r) {
    if (ranks[r].to < ranks[r].from) continue;
    longest = std::max(longest, ranks[r].to - ranks[r].from + after[r]);
  }
  return longest;
}

std::vector<ActionTimes> ActionTimesByRank(const Timeline& t) {
  std::vector<ActionTimes> ranks(static_cast<size_t>(t.ranks));
  for (const ActionSpan& span : t.actions) {
    ActionTimes& times = ranks[static_cast<size_t>(span.rank)];
    const Duration length = span.end - span.start;
    switch (span.action.kind) {
      case ActionKind::kForward:
        times.forward += length;
        break;
      case ActionKind::kInputGrad:
        times.backward_input += length;
        break;
      case ActionKind::kWeightGrad:
        times.backward_weight += length;
        break;
      case ActionKind::kBackward:
        times.backward += length;
        break;
      case ActionKind::kOverlapped:
        times.overlapped += length;
        break;
    }
  }
  return ranks;
}

ActionTimes Mean(const std::vector<ActionTimes>& ranks) {
  ActionTimes mean;
  for (Duration ActionTimes::*kind :
       {&ActionTimes::forward, &ActionTimes::backward_input, &ActionTimes::backward_weight,
        &ActionTimes::backward, &ActionTimes::overlapped}) {
    double seconds = 0;
    for (const ActionTimes& rank : ranks) seconds += (rank.*kind).seconds();
    if (!ranks.empty()) mean.*kind = Seconds(seconds / static_cast<double>(ranks.size()));
  }
  return mean;
}

double Overlap::hidden_share() const {
  const Duration all = communication_busy + message_time;
  return all == Duration() ? 1 : (communication_hidden + message_hidden) / all;
}

double Overlap::compute_to_communication() const {
  return communication_busy == Duration() ? 0 : compute_busy / communication_busy;
}

OverlapSummary MeasureOverlap(const Timeline& t, const Bubbles& bubbles) {
  const std::vector<Intervals> busy = ComputeIntervals(t);
  const std::vector<Window> whole(static_cast<size_t>(t.ranks), {Duration(), t.pipeline_end});
  return {Measure(t, bubbles, busy, SteadyWindows(t)), Measure(t, bubbles, busy, whole)};
}

}  // namespace pipescope::timeline
