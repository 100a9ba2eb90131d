#include "sim/plan/front.h"

#include <algorithm>
#include <tuple>

namespace pipescope::plan {
namespace {

auto KeyOf(const PlanEntry& e) {
  const PlanChoice& c = e.choice;
  return std::tie(e.figures.step_time, e.figures.memory_peak, c.gpus, c.pipeline, c.tensor,
                  c.expert, c.micro_batch, c.recompute, c.schedule, c.chunks, c.sms);
}

}  // namespace

Standing StandingOf(const PlanEntry& e) {
  return {e.figures.step_time, e.figures.memory_peak, e.choice.gpus};
}

void SortByTime(std::vector<PlanEntry>& entries) {
  std::sort(entries.begin(), entries.end(),
            [](const PlanEntry& a, const PlanEntry& b) { return KeyOf(a) < KeyOf(b); });
}

std::vector<PlanEntry> FrontOf(std::vector<PlanEntry> entries) {
  SortByTime(entries);
  std::vector<PlanEntry> front;
  for (PlanEntry& entry : entries) {
    const Standing standing = StandingOf(entry);
    const bool beaten = std::any_of(front.begin(), front.end(), [&](const PlanEntry& other) {
      return StandingOf(other).Covers(standing);
    });
    if (!beaten) front.push_back(std::move(entry));
  }
  return front;
}

}  // namespace pipescope::plan
