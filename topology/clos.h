// The folded Clos tree of one fabric plane: how many switches, and which path joins two leaves.
//
// A leaf with p ports and oversubscription o points d ports down and u up, d / u = o, d + u <= p,
// both as large as they fit. Two levels join at most p leaves, through spines; three levels join
// pods of p/2 leaves through cores, at most p pods. A smaller tree uses fewer upper switches and
// several parallel cables between two switches, which keeps the bandwidth. So with p = 64, o = 1:
//
//   levels   most NICs   leaves   spines   cores   cables between switches
//        1          64        1
//        2        2048       64       32                             2048
//        3       65536     2048     2048    1024                   131072
//
// as FT2 and FT3 in Table 3 of "Insights into DeepSeek-V3" (ISCA 2025, arXiv 2505.09343). Example:
// 1024 NICs on two levels take 32 leaves and 16 spines, 2 cables from each leaf to each spine, as
// NVIDIA's table for four scalable units of a DGX SuperPOD.
#pragma once

#include <functional>
#include <vector>

#include "sim/base/result.h"
#include "topology/cluster.h"
#include "topology/fabric.h"

namespace pipescope::topology {

struct LeafPorts {
  int down = 0;
  int up = 0;
};

// Fails, naming fabric.oversubscription, where no split of the ports has that ratio.
Result<LeafPorts> SplitLeafPorts(const Fabric& fabric);

// One tree. Switches are numbered leaves first, then spines pod by pod, then cores.
struct ClosTree {
  int levels = 0;
  LeafPorts leaf_ports;
  int leaves = 0;
  int leaves_per_pod = 0;
  int pods = 1;
  int spines_per_pod = 0;
  int leaf_spine_cables = 0;  // between one leaf and one spine of its pod
  int cores_per_spine = 0;    // spine j of every pod meets its equals in this many cores
  int spine_core_cables = 0;  // between one spine and one of its cores

  int spines() const { return pods * spines_per_pod; }
  int cores() const { return spines_per_pod * cores_per_spine; }
  int switches() const { return leaves + spines() + cores(); }
  int spine(int pod, int index) const { return leaves + pod * spines_per_pod + index; }
  int core(int spine_index, int index) const {
    return leaves + spines() + spine_index * cores_per_spine + index;
  }

  // Calls visit(lower, upper, cables) for every pair of switches that are joined.
  void ForEachLink(const std::function<void(int, int, int)>& visit) const;

  CableKind KindOf(int lower) const {
    return lower < leaves ? CableKind::kLeafSpine : CableKind::kSpineCore;
  }

  // The switches from one leaf to another, both included. `key` picks among the PathCount equal
  // paths: the same key goes the same way, and consecutive keys spread over spines first, then over
  // cores.
  int64_t PathCount(int from_leaf, int to_leaf) const;
  std::vector<int> Path(int from_leaf, int to_leaf, int64_t key) const;
};

// The smallest tree with this many leaves. Fails, naming fabric.switch_ports, where the ports do
// not reach.
Result<ClosTree> ShapeClos(const Fabric& fabric, int leaves);

}  // namespace pipescope::topology
