// A topology for programs. Times end in `_s`, sizes in `_bytes`, rates in `_bytes_per_second` or
// `_flops`; rates are per direction.
//
//   {"name", "source", "nodes", "gpus", "gpu": {...}, "node": {...}, "fabric": {...},
//    "counts": {...}, "faults": {...: how many}, "routes": [{"what", "from", "to", "hops",
//    "forwarded", "bottleneck_bytes_per_second", "latency_s", "path": [...]}]}
//
// Example: of h800_2048_fat_tree, counts.leaves is 64 and routes[1].latency_s is 2.8e-06.
#pragma once

#include <string>
#include <vector>

#include "reports/topology_text.h"
#include "topology/cluster.h"

namespace pipescope::reports {

std::string TopologyJson(const topology::Cluster& cluster);
// A list of {"name", "nodes", "gpus", "gpu", "fabric", "switches"}.
std::string TopologyListJson(const std::vector<NamedCluster>& clusters);

}  // namespace pipescope::reports
