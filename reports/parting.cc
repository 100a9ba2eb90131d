#include "reports/parting.h"

#include <fmt/format.h>

#include <algorithm>

#include "schedules/token.h"

namespace pipescope::reports {
namespace {

using timeline::ActionSpan;
using timeline::Operation;
using timeline::Timeline;

Duration Magnitude(Duration d) { return d < Duration() ? Duration() - d : d; }

Duration GapBefore(const Timeline& t, int first, int i) {
  const auto& actions = t.actions;
  const Duration before = i == first ? Duration() : actions[static_cast<size_t>(i - 1)].end;
  return actions[static_cast<size_t>(i)].start - before;
}

// The step whose length differs most, of actions with the same steps.
std::string MostDifferent(const Timeline& p, const Timeline& m, const ActionSpan& predicted,
                          const ActionSpan& measured) {
  Duration most;
  std::string name;
  for (int32_t i = 0; i < std::min(predicted.count, measured.count); ++i) {
    const Operation& a = p.operations[static_cast<size_t>(predicted.first + i)];
    const Operation& b = m.operations[static_cast<size_t>(measured.first + i)];
    const Duration by = (b.end - b.start) - (a.end - a.start);
    if (Magnitude(by) < most) continue;
    most = Magnitude(by);
    name = m.labels[static_cast<size_t>(b.label)].name;
  }
  return name;
}

// Whose end let the action start: another rank's action, behind its message, or nobody's.
std::string WhoReleased(const Timeline& t, const ActionSpan& span) {
  int32_t by = t.operations[static_cast<size_t>(span.first)].released_by;
  const auto at = [&](int32_t o) -> const Operation& {
    return t.operations[static_cast<size_t>(o)];
  };
  if (by >= 0 && at(by).action < 0) by = at(by).released_by;  // a message: who sent it
  if (by < 0 || at(by).action < 0 || at(by).rank == span.rank) return "";
  const ActionSpan& other = t.actions[static_cast<size_t>(at(by).action)];
  return fmt::format("rank {}'s {}", other.rank, schedules::ToToken(other.action));
}

std::string WhyLonger(const Timeline& p, const Timeline& m, const ActionSpan& a,
                      const ActionSpan& b, Duration by) {
  return fmt::format("took {} than calibrated, most of all {}", by > Duration() ? "longer" : "less",
                     MostDifferent(p, m, a, b));
}

std::string WhyWaited(const Timeline& m, const ActionSpan& span, Duration by) {
  const std::string who = WhoReleased(m, span);
  const char* more = by > Duration() ? "longer" : "less";
  if (who.empty())
    return fmt::format("began {} after the rank's action before",
                       by > Duration() ? "later" : "sooner");
  return fmt::format("waited {} for {}", more, who);
}

}  // namespace

Partings FindPartings(const Timeline& p, const Timeline& m, size_t count) {
  PIPESCOPE_CHECK(p.actions.size() == m.actions.size() && p.ranks == m.ranks);
  Partings found;
  Duration last_end;
  for (int rank = 0; rank < m.ranks; ++rank) {
    const auto [first, end] = m.rank_actions[static_cast<size_t>(rank)];
    Duration longer, waited;
    for (int i = first; i < end; ++i) {
      const ActionSpan& a = p.actions[static_cast<size_t>(i)];
      const ActionSpan& b = m.actions[static_cast<size_t>(i)];
      const Duration length = (b.end - b.start) - (a.end - a.start);
      const Duration gap = GapBefore(m, first, i) - GapBefore(p, first, i);
      const std::string token = schedules::ToToken(b.action);
      found.largest.push_back({rank, token, length, WhyLonger(p, m, a, b, length)});
      found.largest.push_back({rank, token, gap, WhyWaited(m, b, gap)});
      longer += length;
      waited += gap;
    }
    if (first == end || m.actions[static_cast<size_t>(end - 1)].end < last_end) continue;
    last_end = m.actions[static_cast<size_t>(end - 1)].end;
    const Duration late = last_end - p.actions[static_cast<size_t>(end - 1)].end;
    found.last_rank = rank;
    found.longer = longer;
    found.waited = waited;
    found.after = (m.end - p.end) - late;
  }
  const auto larger = [](const Parting& a, const Parting& b) {
    return Magnitude(a.late) > Magnitude(b.late);
  };
  const size_t kept = std::min(count, found.largest.size());
  std::partial_sort(found.largest.begin(), found.largest.begin() + static_cast<int64_t>(kept),
                    found.largest.end(), larger);
  found.largest.resize(kept);
  return found;
}

}  // namespace pipescope::reports
