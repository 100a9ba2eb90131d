// What ranks have to hold under a schedule, of calibrate.h.
#include <algorithm>
#include <set>

#include "kernels/transformer/calibrate.h"
#include "schedules/token.h"

namespace pipescope::transformer {

using schedules::Action;

std::vector<RankLoad> LoadsOf(const schedules::Schedule& schedule) {
  std::vector<RankLoad> loads;
  for (const auto& actions : schedule.actions) {
    std::set<int> stages;
    int now = 0, most = 0;
    for (const Action& action : actions) {
      if (schedules::HasForward(action)) most = std::max(most, ++now);
      if (schedules::HasBackward(action)) --now;
      stages.insert(action.stage.value());
      stages.insert(schedules::BackwardStage(action).value());
    }
    const int count = std::max(1, static_cast<int>(stages.size()));
    loads.push_back({{stages.begin(), stages.end()}, std::max(1, (most + count - 1) / count)});
  }
  return loads;
}

}  // namespace pipescope::transformer
