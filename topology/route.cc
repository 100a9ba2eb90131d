#include "topology/route.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace pipescope::topology {

Router::Router(const Cluster& cluster, RoutePolicy policy)
    : cluster_(cluster), ids_(cluster), layout_(MakeLayout(cluster)), policy_(policy) {}

int Router::NicOf(int gpu) const {
  return gpu % cluster_.node.gpus / (cluster_.node.gpus / cluster_.node.nics);
}

void Router::AppendNvlink(int to_gpu, Route& route) const {
  route.vertices.push_back(ids_.nvlink_switch(to_gpu / cluster_.node.gpus));
  route.vertices.push_back(ids_.gpu(to_gpu));
  route.bottleneck = std::min(route.bottleneck, cluster_.node.nvlink);
  route.latency += cluster_.node.nvlink_latency;
}

void Router::AppendFabric(int from_gpu, int to_gpu, Route& route) const {
  const NicAt from = {from_gpu / cluster_.node.gpus, NicOf(from_gpu)};
  const NicAt to = {to_gpu / cluster_.node.gpus, NicOf(to_gpu)};
  const std::vector<int> path = layout_->Path(from, to);
  route.vertices.push_back(ids_.nic(from.node, from.nic));
  for (int number : path) route.vertices.push_back(ids_.fabric_switch(number));
  route.vertices.push_back(ids_.nic(to.node, to.nic));
  route.vertices.push_back(ids_.gpu(to_gpu));
  // Between switches there is at least one cable of the NIC's rate, so the NIC bounds them all.
  route.bottleneck = std::min({route.bottleneck, cluster_.node.nic, cluster_.node.pcie});
  const auto switches = static_cast<int64_t>(path.size());
  const Fabric& fabric = cluster_.fabric;
  route.latency += 2 * fabric.nic_latency + switches * fabric.switch_latency +
                   (switches + 1) * fabric.link_latency;
}

Route Router::Between(int gpu_a, int gpu_b) const {
  PIPESCOPE_CHECK(gpu_a >= 0 && gpu_a < cluster_.gpus());
  PIPESCOPE_CHECK(gpu_b >= 0 && gpu_b < cluster_.gpus());
  Route route;
  route.vertices.push_back(ids_.gpu(gpu_a));
  if (gpu_a == gpu_b) {
    route.bottleneck = cluster_.gpu.memory_bandwidth;
    return route;
  }
  route.bottleneck = Bandwidth(std::numeric_limits<double>::infinity());
  const int per_node = cluster_.node.gpus;
  if (gpu_a / per_node == gpu_b / per_node) {
    AppendNvlink(gpu_b, route);
    return route;
  }
  const int nic_a = NicOf(gpu_a);
  const int nic_b = NicOf(gpu_b);
  route.forwarded = !layout_->Joined(nic_a, nic_b) ||
                    (policy_ == RoutePolicy::kForwardOnSender && nic_a != nic_b);
  int sender = gpu_a;
  if (route.forwarded) {
    sender = gpu_a / per_node * per_node + gpu_b % per_node;
    AppendNvlink(sender, route);
  }
  AppendFabric(sender, gpu_b, route);
  return route;
}

std::string Router::Name(int vertex) const {
  if (vertex < cluster_.gpus()) return fmt::format("gpu {}", vertex);
  if (vertex < ids_.nic(0, 0)) return fmt::format("nvlink {}", vertex - ids_.nvlink_switch(0));
  if (vertex < ids_.fabric_switch(0)) {
    const int nic = vertex - ids_.nic(0, 0);
    return fmt::format("nic {}.{}", nic / ids_.nics_per_node(), nic % ids_.nics_per_node());
  }
  const int number = vertex - ids_.fabric_switch(0);
  const SwitchLevel level = layout_->LevelOf(number);
  const char* kind = level == SwitchLevel::kLeaf    ? "leaf"
                     : level == SwitchLevel::kSpine ? "spine"
                                                    : "core";
  return fmt::format("{} {}", kind, number);
}

Route RouteBetween(const Cluster& cluster, int gpu_a, int gpu_b) {
  return Router(cluster).Between(gpu_a, gpu_b);
}

}  // namespace pipescope::topology
