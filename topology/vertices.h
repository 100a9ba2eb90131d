// Numbers of a cluster's parts: GPUs, then NVLink switches, then NICs, then the fabric's switches.
//
// Example: 2 nodes of 8 GPUs and 8 NICs: GPUs 0 to 15, NVLink switches 16 and 17, NICs 18 to 33,
// switches from 34.
#pragma once

#include "topology/cluster.h"

namespace pipescope::topology {

// Where each thing is among a graph's vertices; arithmetic only, so that routes need no graph.
class VertexIds {
 public:
  explicit VertexIds(const Cluster& cluster)
      : gpus_(cluster.gpus()),
        gpus_per_node_(cluster.node.gpus),
        nvlink_switches_(cluster.node.gpus > 1 ? cluster.nodes : 0),
        nics_(cluster.fabric.kind == FabricKind::kNone ? 0 : cluster.node.nics),
        all_nics_(cluster.nodes * nics_) {}
  int gpu(int index) const { return index; }
  int nvlink_switch(int node) const { return gpus_ + node; }
  int nic(int node, int index) const { return gpus_ + nvlink_switches_ + node * nics_ + index; }
  int fabric_switch(int number) const { return gpus_ + nvlink_switches_ + all_nics_ + number; }
  int gpus() const { return gpus_; }
  int gpus_per_node() const { return gpus_per_node_; }
  int nvlink_switches() const { return nvlink_switches_; }
  int nics() const { return all_nics_; }
  int nics_per_node() const { return nics_; }
  // The NIC of a GPU, among those of its node; GPUs share NICs in order.
  int NicOf(int gpu) const { return gpu % gpus_per_node_ / (gpus_per_node_ / nics_); }

 private:
  int gpus_, gpus_per_node_, nvlink_switches_, nics_, all_nics_;
};

}  // namespace pipescope::topology
