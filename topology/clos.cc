#include "topology/clos.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>

namespace pipescope::topology {
namespace {

// The fewest upper switches that `uplinks` of each of `group` lower ones can be spread over evenly
// when each has `ports` ports: the least divisor s of uplinks with group * uplinks / s <= ports.
int FewestUpper(int uplinks, int group, int ports) {
  for (int s = 1; s < uplinks; ++s) {
    if (uplinks % s == 0 && static_cast<int64_t>(group) * (uplinks / s) <= ports) return s;
  }
  return uplinks;
}

}  // namespace

Result<LeafPorts> SplitLeafPorts(const Fabric& fabric) {
  const int ports = fabric.switch_ports;
  const double ratio = fabric.oversubscription;
  if (fabric.levels == 1) {
    if (ratio == 1) return LeafPorts{ports, 0};
    return Fail(Error{"only 1 makes sense with one level: a lone switch has no ports up",
                      {},
                      "fabric.oversubscription"});
  }
  for (int up = ports - 1; up >= 1; --up) {
    const double down = up * ratio;
    const double whole = std::round(down);
    if (std::abs(down - whole) < 1e-6 && whole + up <= ports) {
      return LeafPorts{static_cast<int>(whole), up};
    }
  }
  return Fail(Error{fmt::format("{:g} cannot be had with {} ports: no whole numbers of ports down "
                                "and up have that ratio",
                                ratio, ports),
                    {},
                    "fabric.oversubscription"});
}

Result<ClosTree> ShapeClos(const Fabric& fabric, int leaves) {
  auto split = SplitLeafPorts(fabric);
  if (!split) return Fail(split.error());
  const int64_t ports = fabric.switch_ports;
  const int64_t half = ports / 2;
  const int64_t most = fabric.levels == 1 ? 1 : fabric.levels == 2 ? ports : half * ports;
  if (leaves > most) {
    return Fail(
        Error{fmt::format("{} ports on {} level{} join at most {} leaf switch{} of {} NICs; "
                          "this cluster needs {}",
                          ports, fabric.levels, fabric.levels == 1 ? "" : "s", most,
                          most == 1 ? "" : "es", split->down, leaves),
              {},
              "fabric.switch_ports"});
  }
  ClosTree tree;
  tree.levels = fabric.levels;
  tree.leaf_ports = *split;
  tree.leaves = leaves;
  tree.leaves_per_pod = leaves;
  if (fabric.levels == 1) return tree;
  const bool cored = fabric.levels == 3;
  if (cored) {
    tree.leaves_per_pod = std::min(leaves, static_cast<int>(half));
    tree.pods = (leaves + tree.leaves_per_pod - 1) / tree.leaves_per_pod;
  }
  const int down_ports = static_cast<int>(cored ? half : ports);
  tree.spines_per_pod = FewestUpper(split->up, tree.leaves_per_pod, down_ports);
  tree.leaf_spine_cables = split->up / tree.spines_per_pod;
  if (cored) {
    const int up_ports = static_cast<int>(half);
    tree.cores_per_spine = FewestUpper(up_ports, tree.pods, static_cast<int>(ports));
    tree.spine_core_cables = up_ports / tree.cores_per_spine;
  }
  return tree;
}

void ClosTree::ForEachLink(const std::function<void(int, int, int)>& visit) const {
  for (int leaf = 0; leaf < leaves; ++leaf) {
    for (int j = 0; j < spines_per_pod; ++j) {
      visit(leaf, spine(leaf / leaves_per_pod, j), leaf_spine_cables);
    }
  }
  for (int pod = 0; pod < pods; ++pod) {
    for (int j = 0; j < spines_per_pod; ++j) {
      for (int c = 0; c < cores_per_spine; ++c) visit(spine(pod, j), core(j, c), spine_core_cables);
    }
  }
}

int64_t ClosTree::PathCount(int from_leaf, int to_leaf) const {
  if (from_leaf == to_leaf) return 1;
  const bool same_pod = from_leaf / leaves_per_pod == to_leaf / leaves_per_pod;
  return same_pod ? spines_per_pod : int64_t{spines_per_pod} * cores_per_spine;
}

std::vector<int> ClosTree::Path(int from_leaf, int to_leaf, int64_t key) const {
  if (from_leaf == to_leaf) return {from_leaf};
  const int j = static_cast<int>(key % spines_per_pod);
  const int from_pod = from_leaf / leaves_per_pod;
  const int to_pod = to_leaf / leaves_per_pod;
  if (from_pod == to_pod) return {from_leaf, spine(from_pod, j), to_leaf};
  const int c = static_cast<int>(key / spines_per_pod % cores_per_spine);
  return {from_leaf, spine(from_pod, j), core(j, c), spine(to_pod, j), to_leaf};
}

}  // namespace pipescope::topology
