#include "schedules/families/warm_up.h"

#include <algorithm>

namespace pipescope::schedules {

Schedule AlternateAfterWarmUp(const std::string& name, const Options& options, int depth) {
  Schedule schedule = EmptySchedule(name, options, static_cast<int>(options.ranks));
  const int m = schedule.microbatches;
  for (int rank = 0; rank < schedule.ranks; ++rank) {
    auto& order = schedule.actions[static_cast<size_t>(rank)];
    order.reserve(2 * static_cast<size_t>(m));
    const int warmup = std::min(m, depth * (schedule.ranks - 1 - rank));
    for (int i = 0; i < warmup; ++i) order.push_back(Make(ActionKind::kForward, rank, i));
    for (int i = 0; i < m; ++i) {
      if (warmup + i < m) order.push_back(Make(ActionKind::kForward, rank, warmup + i));
      order.push_back(Make(ActionKind::kBackward, rank, i));
    }
  }
  return schedule;
}

Schedule HoldBackWeights(const std::string& name, const Options& options, int depth) {
  Schedule schedule = EmptySchedule(name, options, static_cast<int>(options.ranks));
  const int m = schedule.microbatches;
  for (int rank = 0; rank < schedule.ranks; ++rank) {
    auto& order = schedule.actions[static_cast<size_t>(rank)];
    order.reserve(3 * static_cast<size_t>(m));
    int forwards = 0, weights = 0;
    const auto forward = [&] { order.push_back(Make(ActionKind::kForward, rank, forwards++)); };
    const auto weight = [&] { order.push_back(Make(ActionKind::kWeightGrad, rank, weights++)); };
    while (forwards < std::min(m, depth * (schedule.ranks - 1 - rank))) forward();
    for (int i = 0; i < m; ++i) {
      if (forwards < m) forward();
      order.push_back(Make(ActionKind::kInputGrad, rank, i));
      if (i >= depth * rank) weight();
    }
    while (weights < m) weight();
  }
  return schedule;
}

}  // namespace pipescope::schedules
