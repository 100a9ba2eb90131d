#include "sim/timeline/critical_path.h"

#include <algorithm>

namespace pipescope::timeline {

std::vector<int32_t> CriticalPath(const Timeline& timeline) {
  std::vector<int32_t> path;
  int32_t at = -1;
  for (size_t i = 0; i < timeline.operations.size(); ++i) {
    if (at < 0 || timeline.operations[i].end > timeline.operations[static_cast<size_t>(at)].end) {
      at = static_cast<int32_t>(i);
    }
  }
  for (; at >= 0; at = timeline.operations[static_cast<size_t>(at)].released_by) path.push_back(at);
  std::reverse(path.begin(), path.end());
  return path;
}

}  // namespace pipescope::timeline
