// The links of a step's cluster as the flow engine counts them.
//
//   0 ..         the directed links of topology/links.h: NVLink, PCIe, NIC, between switches
//   memory(g)    the HBM of GPU g, read and written, where it can run short
//
// Capacities are what transfers reach: NVLink as the topology says, NICs and switches times the
// network efficiency, HBM times the memory efficiency (sim/costs/efficiencies.h). Dead and slow
// links are those of the topology's `faults`.
#pragma once

#include <vector>

#include "sim/costs/efficiencies.h"
#include "sim/flow/network.h"
#include "topology/cluster.h"
#include "topology/route.h"

namespace pipescope {

class StepNetwork {
 public:
  // `gpus` of the cluster take part. Without `with_memory` HBM never runs short and takes no link.
  StepNetwork(const topology::Cluster& cluster, const costs::Efficiencies& efficiencies, int gpus,
              bool with_memory, const topology::RoutePolicy& policy);

  const flow::Network& network() const { return network_; }
  const topology::Router& router() const { return router_; }
  bool has_memory() const { return has_memory_; }
  int32_t memory(int gpu) const { return first_memory_ + gpu; }

 private:
  topology::Router router_;
  flow::Network network_;
  int32_t first_memory_ = 0;
  bool has_memory_;
};

}  // namespace pipescope
