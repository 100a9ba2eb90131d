// A topology for people: what a cluster is made of, and where its messages go.
//
//   h800-2048-fat-tree: 256 nodes x 8 H800 SXM5 80 GB = 2048 GPUs
//   GPU        132 SMs; dense BF16 989.4 TFLOPS, ...
//   ...
//   Route                     From -> to   Bottleneck    Latency  Path
//   next node, same GPU         0 -> 8     50.00 GB/s   2.800 us  gpu 0 > nic 0.0 > leaf 0 > ...
#pragma once

#include <string>
#include <vector>

#include "topology/cluster.h"

namespace pipescope::reports {

// The summary `pipescope topology show` prints.
std::string TopologyText(const topology::Cluster& cluster);

// One line a topology, under the name LoadCluster knows it by.
struct NamedCluster {
  std::string name;
  topology::Cluster cluster;
};
std::string TopologyListText(const std::vector<NamedCluster>& clusters);

// "256 nodes x 8 H800 = 2048 GPUs, fat-tree with 96 switches": what a check that passed says.
std::string TopologyLine(const topology::Cluster& cluster);

}  // namespace pipescope::reports
