// The links of a step's cluster as the flow engine counts them.
//
//   0 ..         the directed links of topology/links.h: NVLink, PCIe, NIC, between switches
//   memory(g)    the HBM of GPU g, read and written, where it can run short
//
// Links of one pipeline rank are of one kind for the engine, each direction by itself: what happens
// to one of them mostly happens to all.
//
// Capacities are what transfers reach: NVLink as the topology says, NICs and switches times the
// network efficiency, HBM times the memory efficiency (sim/costs/efficiencies.h). Dead and slow
// links are those of the topology's `faults`.
#pragma once

#include <vector>

#include "sim/experiment/experiment.h"
#include "sim/flow/network.h"
#include "topology/route.h"

namespace pipescope {

class StepNetwork {
 public:
  // Without `with_memory` HBM never runs short and takes no link.
  StepNetwork(const Experiment& experiment, bool with_memory);

  const flow::Network& network() const { return network_; }
  const topology::Router& router() const { return router_; }
  // The links between two GPUs that can limit a flow, and the share of it that each carries: 1 but
  // where it is spread over several ways. PCIe is left out where it is no narrower than the NIC
  // behind it, since whatever crosses it crosses that NIC.
  std::vector<topology::LinkShare> Between(int gpu_a, int gpu_b) const;
  // Whether these links hold a flow back: PCIe does not where it is no narrower than the NIC.
  bool Limits(topology::LinkId link) const {
    return pcie_limits_ || link < first_pcie_ || link >= first_nic_;
  }
  bool has_memory() const { return has_memory_; }
  int32_t memory(int gpu) const { return first_memory_ + gpu; }

 private:
  topology::Router router_;
  flow::Network network_;
  int32_t first_memory_ = 0;
  int first_pcie_ = 0, first_nic_ = 0;  // links
  bool has_memory_, pcie_limits_, spread_;
};

}  // namespace pipescope
