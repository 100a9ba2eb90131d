#include "sim/step_flow/step_network.h"

namespace pipescope {

StepNetwork::StepNetwork(const topology::Cluster& cluster, const costs::Efficiencies& efficiencies,
                         int gpus, bool with_memory, const topology::RoutePolicy& policy)
    : router_(cluster, policy), has_memory_(with_memory) {
  const topology::LinkTable& links = router_.links();
  const int nvlinks = cluster.node.gpus > 1 ? 2 * cluster.gpus() : 0;
  for (int l = 0; l < links.size(); ++l) {
    const double share = l < nvlinks ? 1 : efficiencies.network;
    network_.links.emplace_back(links[l].capacity.value() * share);
  }
  first_memory_ = static_cast<int32_t>(network_.links.size());
  if (!with_memory) return;
  const Bandwidth memory(cluster.gpu.memory_bandwidth.value() * efficiencies.memory);
  network_.links.insert(network_.links.end(), static_cast<size_t>(gpus), memory);
}

}  // namespace pipescope
