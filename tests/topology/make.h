// Clusters for tests, made in code.
#pragma once

#include "topology/check.h"
#include "topology/cluster.h"

namespace pipescope::topology {

// A cluster of `nodes` with 8 GPUs and 8 NICs of 50 GB/s on a two-level fat tree of 64 ports.
inline Cluster MakeCluster(int nodes) {
  Cluster cluster;
  cluster.name = "made";
  cluster.gpu = {"GPU",
                 132,
                 Teraflops(989.4),
                 Teraflops(1978.9),
                 Teraflops(66.9),
                 Bytes(int64_t{80} << 30),
                 GigabytesPerSecond(3350)};
  cluster.node.gpus = 8;
  cluster.node.nvlink = GigabytesPerSecond(160);
  cluster.node.nvlink_latency = Microseconds(3.33);
  cluster.node.nics = 8;
  cluster.node.nic = GigabytesPerSecond(50);
  cluster.node.pcie = GigabytesPerSecond(64);
  cluster.nodes = nodes;
  cluster.fabric.kind = FabricKind::kFatTree;
  cluster.fabric.levels = 2;
  cluster.fabric.switch_ports = 64;
  cluster.fabric.link_latency = Microseconds(0.15);
  cluster.fabric.switch_latency = Microseconds(0.3);
  cluster.fabric.nic_latency = Microseconds(1.1);
  return cluster;
}

inline Cluster MakeMultiPlane(int nodes, int planes) {
  Cluster cluster = MakeCluster(nodes);
  cluster.fabric.kind = FabricKind::kMultiPlane;
  cluster.fabric.planes = planes;
  return cluster;
}

}  // namespace pipescope::topology
