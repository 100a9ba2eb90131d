#include "sim/result/fingerprint.h"

#include <fmt/format.h>

#include <utility>

namespace pipescope {
namespace {

char LetterOf(schedules::ActionKind kind) {
  switch (kind) {
    case schedules::ActionKind::kForward:
      return 'F';
    case schedules::ActionKind::kInputGrad:
      return 'I';
    case schedules::ActionKind::kWeightGrad:
      return 'W';
    default:
      return 'B';
  }
}

}  // namespace

std::string KindOf(const schedules::Action& a) {
  if (a.kind == schedules::ActionKind::kOverlapped) {
    return fmt::format("{}F{}B", a.stage.value(), a.backward_stage.value());
  }
  return fmt::format("{}{}", a.stage.value(), LetterOf(a.kind));
}

std::string WaitOf(const StepResult& r, const timeline::Gap& gap) {
  if (gap.before_action < 0) return fmt::format("{} end", timeline::Name(gap.cause));
  const auto& span = r.timeline.actions[static_cast<size_t>(gap.before_action)];
  return fmt::format("{} {}", timeline::Name(gap.cause), KindOf(span.action));
}

Fingerprint FingerprintOf(const StepResult& r) {
  Fingerprint print(static_cast<size_t>(r.timeline.ranks));
  for (size_t i = 0; i < print.size(); ++i) {
    print[i].busy_s = r.bubbles.busy[i].seconds();
    print[i].bubble_s = r.bubbles.per_rank[i].seconds();
    if (i < r.memory.size()) {
      print[i].peak_bytes = static_cast<double>(r.memory[i].total_peak.value());
      print[i].activations_bytes = static_cast<double>(r.memory[i].activations_peak.value());
    }
    std::map<std::string, std::pair<double, int64_t>> kinds;
    const auto [first, last] = r.timeline.rank_actions[i];
    for (int a = first; a < last; ++a) {
      const timeline::ActionSpan& span = r.timeline.actions[static_cast<size_t>(a)];
      auto& [seconds, count] = kinds[KindOf(span.action)];
      seconds += (span.end - span.start).seconds();
      ++count;
    }
    for (const auto& [kind, sum] : kinds) {
      print[i].actions_s[kind] = sum.first / static_cast<double>(sum.second);
    }
  }
  for (const timeline::Gap& gap : r.bubbles.gaps) {
    print[static_cast<size_t>(gap.rank)].waits_s[WaitOf(r, gap)] += (gap.end - gap.start).seconds();
  }
  return print;
}

}  // namespace pipescope
