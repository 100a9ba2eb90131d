#include "sim/lowering/places.h"

#include <algorithm>

namespace pipescope {

bool SameNode(const Experiment& experiment, int from, int to) {
  const int gpus = experiment.parallel.gpus_per_rank();
  const int node = experiment.cluster.node.gpus;
  for (int i = 0; i < gpus; ++i) {
    if ((from * gpus + i) / node != (to * gpus + i) / node) return false;
  }
  return true;
}

int PerNode(const Experiment& experiment, const Group& group) {
  const bool one_node = std::all_of(group.ranks.begin(), group.ranks.end(), [&](int32_t rank) {
    return rank == group.ranks.front() || SameNode(experiment, group.ranks.front(), rank);
  });
  // Two ranks that share a node at every GPU are in it with all of theirs.
  if (group.ranks.size() > 1 && one_node) {
    return group.size * static_cast<int32_t>(group.ranks.size());
  }
  return std::clamp(experiment.cluster.node.gpus / group.stride, 1, group.size);
}

}  // namespace pipescope
