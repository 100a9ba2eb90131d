#include "sim/step_flow/step_network.h"

namespace pipescope {
namespace {

enum LinkKind { kNvlink = 0, kPcie = 2, kNic = 4, kSwitch = 6, kMemory = 8, kKinds = 9 };

topology::RoutePolicy PolicyOf(const CommunicationPlan& plan) {
  return {.choice = plan.paths == Paths::kHash      ? topology::PathChoice::kHash
                    : plan.paths == Paths::kValiant ? topology::PathChoice::kValiant
                                                    : topology::PathChoice::kByDestination,
          .to_rail = plan.to_rail,
          .seed = static_cast<uint64_t>(plan.paths_seed)};
}

}  // namespace

StepNetwork::StepNetwork(const Experiment& e, bool with_memory)
    : router_(e.cluster, PolicyOf(e.communication)),
      has_memory_(with_memory),
      pcie_limits_(e.cluster.node.pcie < e.cluster.node.nic),
      spread_(e.communication.paths == Paths::kSpread) {
  const topology::Cluster& cluster = e.cluster;
  const int rank_gpus = e.parallel.gpus_per_rank();
  const topology::LinkTable& links = router_.links();
  const bool fabric = cluster.fabric.kind != topology::FabricKind::kNone;
  first_pcie_ = cluster.node.gpus > 1 ? 2 * cluster.gpus() : 0;
  first_nic_ = first_pcie_ + (fabric ? 2 * cluster.gpus() : 0);
  const int first_switch = first_nic_ + (fabric ? 2 * cluster.nodes * cluster.node.nics : 0);
  for (int l = 0; l < links.size(); ++l) {
    const double share = l < first_pcie_ ? 1 : e.efficiencies.network;
    network_.links.emplace_back(links[l].capacity.value() * share);
    const int begin = l < first_pcie_ ? 0 : l < first_nic_ ? first_pcie_ : first_nic_;
    const int kind = l < first_pcie_    ? kNvlink
                     : l < first_nic_   ? kPcie
                     : l < first_switch ? kNic
                                        : kSwitch;
    const int per_node = kind == kNic ? cluster.node.nics : cluster.node.gpus;
    const int gpu = (l - begin) / 2 / per_node * cluster.node.gpus;  // the first of its node
    const int rank = kind == kSwitch ? 0 : gpu / rank_gpus;
    network_.kinds.push_back(rank * kKinds + kind + l % 2);
  }
  first_memory_ = static_cast<int32_t>(network_.links.size());
  if (!with_memory) return;
  const Bandwidth memory(cluster.gpu.memory_bandwidth.value() * e.efficiencies.memory);
  for (int gpu = 0; gpu < e.gpus(); ++gpu) {
    network_.links.push_back(memory);
    network_.kinds.push_back(gpu / rank_gpus * kKinds + kMemory);
  }
}

std::vector<topology::LinkShare> StepNetwork::Between(int gpu_a, int gpu_b) const {
  std::vector<topology::LinkShare> shares;
  if (spread_) {
    shares = router_.Spread(gpu_a, gpu_b);
  } else {
    for (const topology::LinkId l : router_.Between(gpu_a, gpu_b).links) shares.push_back({l, 1});
  }
  std::erase_if(shares, [this](const topology::LinkShare& share) { return !Limits(share.link); });
  return shares;
}

}  // namespace pipescope
