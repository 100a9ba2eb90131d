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

std::vector<PathShare> SharesOf(const Timeline& timeline, const std::vector<int32_t>& path) {
  std::vector<PathShare> shares(timeline.labels.size());
  for (size_t l = 0; l < shares.size(); ++l) shares[l].label = static_cast<int32_t>(l);
  for (const int32_t i : path) {
    const Operation& op = timeline.operations[static_cast<size_t>(i)];
    PathShare& share = shares[static_cast<size_t>(op.label)];
    share.time += op.end - op.start;
    ++share.count;
  }
  std::erase_if(shares, [](const PathShare& s) { return s.count == 0; });
  std::stable_sort(shares.begin(), shares.end(),
                   [](const PathShare& a, const PathShare& b) { return a.time > b.time; });
  return shares;
}

}  // namespace pipescope::timeline
