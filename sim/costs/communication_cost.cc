#include "sim/costs/communication_cost.h"

#include <algorithm>
#include <cmath>

#include "topology/route.h"

namespace pipescope::costs {
namespace {

Duration Slowest(std::initializer_list<Duration> times) { return std::max(times); }

}  // namespace

Links LinksOf(const topology::Cluster& cluster, const Efficiencies& e) {
  Links links;
  const Bandwidth reached = topology::FabricRate(cluster.node, cluster.fabric.oversubscription);
  links.network = Bandwidth(reached.value() * e.network);
  links.nvlink = cluster.node.nvlink;
  links.memory = Bandwidth(cluster.gpu.memory_bandwidth.value() * e.memory);
  if (cluster.nodes > 1) {
    // The farthest pair of GPUs with the same index: what a rail or plane carries.
    const topology::Route route =
        topology::RouteBetween(cluster, 0, (cluster.nodes - 1) * cluster.node.gpus);
    links.network_latency = route.latency;
  }
  links.nvlink_latency = cluster.node.nvlink_latency;
  return links;
}

Demand AllToAll(const Spread& spread, int64_t tokens, double row_bytes, int sms, const Links& links,
                const Efficiencies& e) {
  const double bytes = static_cast<double>(tokens) * row_bytes;
  const double network = bytes * spread.network_rows();
  const double forwarded = bytes * spread.token_gpus;
  Demand demand;
  demand.network_out = demand.network_in = RoundBytes(network);
  demand.nvlink = RoundBytes(bytes * spread.nvlink_rows());
  // Rows read once; send buffer written, read by the NIC, written by the NIC, read to forward;
  // then written by a peer, read, and written to their place.
  demand.memory = RoundBytes(bytes + 4 * network + 3 * forwarded);
  const Bytes copied = RoundBytes(network + 2 * forwarded);
  const Duration latency = spread.nodes > 1 ? links.network_latency : Duration();
  demand.time = Slowest({demand.network_out / links.network, demand.nvlink / links.nvlink,
                         copied / (e.sm_copy * sms), demand.memory / links.memory}) +
                latency + links.nvlink_latency;
  return demand;
}

Demand PointToPoint(Bytes size, bool same_node, const Links& links) {
  Demand demand;
  if (same_node) {
    demand.nvlink = size;
    demand.time = size / links.nvlink + links.nvlink_latency;
  } else {
    demand.network_out = demand.network_in = size;
    demand.time = size / links.network + links.network_latency;
  }
  demand.memory = size;
  return demand;
}

Demand ShardedCollective(Bytes size, int group, int per_node, const Links& links) {
  Demand demand;
  if (group <= 1) return demand;
  const int nodes = std::max(1, group / per_node);
  const double wire = static_cast<double>(size.value()) * (group - 1) / group;
  Duration latency = links.nvlink_latency * (per_node - 1);
  if (per_node > 1) demand.nvlink = RoundBytes(wire);
  if (nodes > 1) {
    demand.network_out = demand.network_in = RoundBytes(wire / per_node);
    latency += links.network_latency * (nodes - 1);
  }
  demand.memory = RoundBytes(3 * wire);  // what comes in, what it is added to, the sum
  demand.time = Slowest({demand.network_out / links.network, demand.nvlink / links.nvlink,
                         demand.memory / links.memory}) +
                latency;
  return demand;
}

Demand Exchange(Bytes size, int group, int per_node, const Links& links) {
  Demand demand;
  if (group <= 1) return demand;
  const double part = static_cast<double>(size.value()) / group;
  demand.nvlink = RoundBytes(part * (per_node - 1));
  demand.network_out = demand.network_in = RoundBytes(part * (group - per_node));
  demand.memory = RoundBytes(2 * part * (group - 1));  // read here, written there
  const Duration latency = std::max(per_node > 1 ? links.nvlink_latency : Duration(),
                                    group > per_node ? links.network_latency : Duration());
  demand.time = Slowest({demand.network_out / links.network, demand.nvlink / links.nvlink,
                         demand.memory / links.memory}) +
                latency;
  return demand;
}

}  // namespace pipescope::costs
