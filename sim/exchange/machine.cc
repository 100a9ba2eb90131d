#include "sim/exchange/machine.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/quantity.h"
#include "topology/route.h"

namespace pipescope::exchange {
namespace {

// Of what NVLink is sold with, when all GPUs of a node send to all: DeepEP's second version on
// SM100, EP8, 64 SMs: 740 GB/s in its counting, 7/8 of it on the wire, of 900 nominal.
constexpr double kNvlink = 740.0 * 7 / 8 / 900;
// Where a topology gives only what is achieved: that share over the H800's 160 of 200 GB/s.
constexpr double kNvlinkOfAchieved = kNvlink / 0.8;

// Inferred with this model from a log of two H20 nodes with 24 SMs (DeepEP issue 137): its best
// lines are 42.5 GB/s between nodes for FP8 rows (messages of 12 tokens) and 44.7 for BF16 rows (of
// 8), both far below what H20's links carry. These two values give 42.7 and 44.6. A check: they
// give 43.8 for the combine of two H200 nodes, measured 44.4 (DeepEP issue 493). The log does not
// name its rows: the series are told apart by their messages of 4 tokens, which one carries at half
// of the other's rate. Not all kernels agree: a variant of Infrawaves on two H100 nodes has 46 GB/s
// for FP8 and 60 for BF16.
constexpr Duration kRow = Duration(300'000);
constexpr Bandwidth kWarp = GigabytesPerSecond(1.80);
// The same kernels copy 5 vectors of 512 bytes at once and add up with 1 of each row.
constexpr double kReduceShare = 1.0 / 5;
// DeepEP's second version plans with SMs that write 50 GB/s each (elastic.py, its analytic number
// of SMs), whichever warps do it.
constexpr Bandwidth kV2Write = GigabytesPerSecond(50);

// Four nodes, 24 SMs, messages of 4 tokens instead of 8: 45.3 instead of 57.5 GB/s (DeepEP issue
// 261). 34.0 GB/s on the wire are 96 000 messages a second of each of 12 channels, if its rows are
// of FP8, as DeepEP's benchmark has them first.
constexpr Duration kPost = Duration(10'400'000);

// Median gap of the compute stream in DeepSeek's training trace (deepseek-ai/profile-data).
constexpr Duration kKernelGap = Duration(2'000'000);

// Of HBM's nominal bandwidth: DeepGEMM's row 64x7168x16384, 2668 of 3350 GB/s.
constexpr double kMemory = 0.796;

void SetKernels(Kernels& k, Generation generation) {
  if (generation != Generation::kV2) {
    k.row = kRow;
    k.warp = kWarp;
    k.reduce = Bandwidth(kWarp.value() * kReduceShare);
    k.post = kPost;
    return;
  }
  k.warp = Bandwidth(kV2Write.value() / k.forward);
  k.reduce = Bandwidth(kV2Write.value() / k.reduce_forward);
}

// What slow NICs leave of each GPU's share; empty where none of these nodes has any. A GPU uses the
// NICs of its part of the node (topology/vertices.h), several of them alike.
std::vector<Bandwidth> NetworksOf(const topology::Cluster& cluster, int nodes, Bandwidth network) {
  std::vector<Bandwidth> networks;
  const topology::Node& node = cluster.node;
  const double share = topology::NicShare(node).value() * kNetworkShare /
                       std::max(1.0, cluster.fabric.oversubscription);
  for (const topology::Faults::SlowNic& slow : cluster.faults.slow_nics) {
    if (slow.at.node >= nodes) continue;
    networks.resize(static_cast<size_t>(nodes * node.gpus), Bandwidth(share));
    const double nics = std::max(1.0, static_cast<double>(node.nics) / node.gpus);  // of a GPU
    const double lost = (1 - slow.rate.value() / node.nic.value()) / nics;
    for (int local = 0; local < node.gpus; ++local) {
      const int gpu = slow.at.nic * node.gpus / node.nics;  // the first that uses it
      const int sharing = std::max(1, node.gpus / node.nics);
      if (local < gpu || local >= gpu + sharing) continue;
      Bandwidth& of_gpu = networks[static_cast<size_t>(slow.at.node * node.gpus + local)];
      of_gpu = Bandwidth(of_gpu.value() - share * lost);
    }
  }
  for (Bandwidth& of_gpu : networks) of_gpu = std::min(of_gpu, network);
  return networks;
}

// As routes do (topology/route.cc): the first live NIC from the GPU's own onwards, with the GPU
// that has the same place among those that use it.
std::vector<int> LendersOf(const topology::Cluster& cluster, int nodes) {
  std::vector<int> lenders;
  const topology::Node& node = cluster.node;
  const auto is_dead = [&](topology::NicAt at) {
    const auto& dead = cluster.faults.dead_nics;
    return std::any_of(dead.begin(), dead.end(), [&](const topology::NicAt& other) {
      return other.node == at.node && other.nic == at.nic;
    });
  };
  for (const topology::NicAt& dead : cluster.faults.dead_nics) {
    if (dead.node >= nodes) continue;
    lenders.resize(static_cast<size_t>(nodes * node.gpus));
  }
  const int sharing = std::max(1, node.gpus / node.nics);
  for (size_t gpu = 0; gpu < lenders.size(); ++gpu) {
    const int at = static_cast<int>(gpu) / node.gpus, local = static_cast<int>(gpu) % node.gpus;
    int nic = local / sharing;
    for (int i = 0; i < node.nics && is_dead({at, nic}); ++i) nic = (nic + 1) % node.nics;
    lenders[gpu] = at * node.gpus + nic * sharing + local % sharing;
  }
  return lenders;
}

}  // namespace

Machine MachineOf(const topology::Cluster& cluster, int nodes, Generation generation) {
  Machine m;
  const topology::Node& node = cluster.node;
  m.gpus_per_node = node.gpus;
  const double spread = cluster.fabric.oversubscription;
  m.network = Bandwidth(topology::FabricRate(node, spread).value() * kNetworkShare);
  m.nvlink = node.nvlink_nominal.value() > 0 ? Bandwidth(node.nvlink_nominal.value() * kNvlink)
                                             : Bandwidth(node.nvlink.value() * kNvlinkOfAchieved);
  m.memory = Bandwidth(cluster.gpu.memory_bandwidth.value() * kMemory);
  m.nvlink_latency = node.nvlink_latency;
  const bool all_by_nic = generation == Generation::kLowLatencyNic;
  if (nodes > 1 || all_by_nic) {
    m.networks = NetworksOf(cluster, nodes, m.network);
    m.lenders = LendersOf(cluster, nodes);
    // Within a node a NIC's message goes up to the first switch and back.
    const int far =
        nodes > 1 ? (nodes - 1) * node.gpus : std::min(cluster.nodes - 1, 1) * node.gpus;
    m.network_latency = topology::RouteBetween(cluster, 0, far).latency;
  }
  m.kernel_gap = kKernelGap;
  m.kernels.forward = m.kernels.receive = node.gpus;
  SetKernels(m.kernels, generation);
  return m;
}

std::vector<Constant> Describe(const Machine& m, Generation generation) {
  std::vector<Constant> constants = {
      {"network, a GPU, on the wire", Format(m.network),
       "94 % of nominal: NVSHMEM's put benchmark on ConnectX-7 400G, 47 GB/s (DeepEP issue 155)"},
      {"NVLink, a GPU, on the wire", Format(m.nvlink),
       "72 % of nominal in an all-to-all: DeepEP V2 on SM100, EP8, 740 x 7/8 of 900 GB/s"},
      {"HBM", Format(m.memory), "79.6 % of nominal: DeepGEMM's memory-bound row on H800"},
      {"network latency", Format(m.network_latency), "the topology's, GPU to GPU"},
      {"NVLink latency", Format(m.nvlink_latency), "the topology's, GPU to GPU"},
  };
  if (generation == Generation::kV2) {
    constants.push_back({"written by an SM", Format(kV2Write),
                         "DeepEP V2 plans its number of SMs with it (elastic.py)"});
    return constants;
  }
  constants.push_back(
      {"a warp's copy", fmt::format("{} + {}", Format(m.kernels.row), Format(m.kernels.warp)),
       "inferred: two H20 nodes, 24 SMs, FP8 42.5 and BF16 44.7 GB/s (DeepEP issue 137)"});
  constants.push_back({"a warp's sum, each row", Format(m.kernels.reduce),
                       "derived: 512 bytes of a row in flight, where a copy has 2560"});
  constants.push_back(
      {"posting a message, a channel", Format(m.kernels.post),
       "four nodes, messages of 4 tokens: 45.3 instead of 57.5 GB/s (DeepEP issue 261)"});
  return constants;
}

}  // namespace pipescope::exchange
