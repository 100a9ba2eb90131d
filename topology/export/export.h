// Clusters for other tools.
//
//   SimGrid   platform XML 4.1: a host a GPU, two SPLITDUPLEX directions a link (LinkTable), and a
//             route a pair, as Router gives it: so that SimGrid moves bytes over the very links
//             that pipescope does. Bandwidths are in bytes a second, as they are here; SimGrid's
//             own factors (LV08: 0.97 of the bandwidth, 13.01 times the latency) are switched off
//             in the file's <config>. n GPUs are n^2 routes, hence the limit.
//   DOT       for Graphviz: a box a node and a switch, a line a bundle of cables. Nodes that plug
//             into the same switches, and switches that join the same others, are folded into one
//             box, and again, until nothing is alike; what is left must be within the limit.
//
// Example: h100_dgx_pod (128 nodes, 48 switches) folds into 4 groups of 32 nodes, 4 of 8 leaves and
// one of 16 spines.
#pragma once

#include <string>

#include "sim/base/result.h"
#include "topology/cluster.h"

namespace pipescope::topology {

inline constexpr int kSimGridGpus = 512;
inline constexpr int kDotBoxes = 200;

// Each fails where the cluster is larger than `limit`, and says so. It must have passed
// CheckCluster.
Result<std::string> SimGridXml(const Cluster& cluster, int limit = kSimGridGpus);
Result<std::string> Dot(const Cluster& cluster, int limit = kDotBoxes);

}  // namespace pipescope::topology
