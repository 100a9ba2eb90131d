#include "topology/route.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <queue>

namespace pipescope::topology {
namespace {

// More ways than this are not tried one by one where links are dead, nor spread over.
constexpr int64_t kMostWays = 4096;

}  // namespace

Router::Router(const Cluster& cluster, RoutePolicy policy)
    : cluster_(cluster),
      ids_(cluster),
      layout_(MakeLayout(cluster)),
      links_(cluster, layout_.get()),
      policy_(policy) {}

bool Router::NicLives(NicAt at) const {
  const int number = layout_->SwitchOf(at);
  if (number < 0) return false;
  const LinkId id = links_.Between(ids_.nic(at.node, at.nic), ids_.fabric_switch(number));
  return links_[id].capacity.value() > 0;
}

bool Router::Lives(const std::vector<int>& switches) const {
  if (cluster_.faults.empty()) return true;
  for (size_t i = 0; i + 1 < switches.size(); ++i) {
    const LinkId id =
        links_.Between(ids_.fabric_switch(switches[i]), ids_.fabric_switch(switches[i + 1]));
    if (!(links_[id].capacity.value() > 0)) return false;
  }
  return true;
}

// The GPU that lends a NIC: the one wanted if it has it, else the first that does.
int Router::GpuOf(NicAt at, int wanted) const {
  const int node = cluster_.node.gpus;
  if (wanted / node == at.node && ids_.NicOf(wanted) == at.nic) return wanted;
  return at.node * node + at.nic * (node / cluster_.node.nics);
}

Router::Ends Router::Preferred(int gpu_a, int gpu_b) const {
  const int node = cluster_.node.gpus;
  Ends ends = {gpu_a, gpu_b, {gpu_a / node, ids_.NicOf(gpu_a)}, {gpu_b / node, ids_.NicOf(gpu_b)}};
  const bool rail = policy_.to_rail && ends.from.nic != ends.to.nic;
  if (rail || !layout_->Joined(ends.from, ends.to)) {
    ends.sender = gpu_a / node * node + gpu_b % node;
    ends.from.nic = ends.to.nic;
  }
  return ends;
}

bool Router::Usable(const Ends& ends) const {
  return NicLives(ends.from) && NicLives(ends.to) && layout_->Joined(ends.from, ends.to) &&
         LivePath(ends, 0).has_value();
}

// What is preferred where nothing is broken; else the first pair of NICs that live and are joined:
// receivers from the GPU's own NIC onwards, for each the sender's own NIC and onwards.
Router::Ends Router::EndsOf(int gpu_a, int gpu_b) const {
  const Ends preferred = Preferred(gpu_a, gpu_b);
  const bool whole = cluster_.faults.empty() && cluster_.fabric.kind != FabricKind::kExplicit;
  if (whole || Usable(preferred)) return preferred;
  const int nics = cluster_.node.nics;
  for (int i = 0; i < nics; ++i) {
    for (int j = 0; j < nics; ++j) {
      Ends ends = preferred;
      ends.to.nic = (ids_.NicOf(gpu_b) + i) % nics;
      ends.from.nic = (ids_.NicOf(gpu_a) + j) % nics;
      if (!Usable(ends)) continue;
      ends.sender = GpuOf(ends.from, gpu_a);
      ends.receiver = GpuOf(ends.to, gpu_b);
      return ends;
    }
  }
  PIPESCOPE_CHECK(false && "two GPUs are cut off, which CheckCluster rules out");
  return preferred;
}

uint64_t Router::KeyOf(const Ends& ends) const {
  if (policy_.choice == PathChoice::kByDestination) {
    return static_cast<uint64_t>(layout_->DestinationKey(ends.to));
  }
  return HashOf(ends);
}

std::optional<std::vector<int>> Router::LivePath(const Ends& ends, uint64_t key) const {
  const auto way = static_cast<int64_t>(key);
  std::vector<int> path = layout_->Path(ends.from, ends.to, way);
  if (Lives(path)) return path;
  const int64_t count = layout_->PathCount(ends.from, ends.to);
  for (int64_t i = 1; i < std::min(count, kMostWays); ++i) {
    path = layout_->Path(ends.from, ends.to, way % count + i);
    if (Lives(path)) return path;
  }
  path = Detour(ends.from, ends.to);
  if (path.empty()) return std::nullopt;
  return path;
}

// Breadth first over live links, neighbours in ascending order.
std::vector<int> Router::Detour(NicAt from, NicAt to) const {
  const int start = layout_->SwitchOf(from);
  const int end = layout_->SwitchOf(to);
  std::vector<int> before(static_cast<size_t>(layout_->switches()), -1);
  before[static_cast<size_t>(start)] = start;
  std::queue<int> open({start});
  for (; !open.empty() && before[static_cast<size_t>(end)] < 0; open.pop()) {
    const int here = open.front();
    for (int next : links_.Near(here)) {
      if (before[static_cast<size_t>(next)] >= 0 || !Lives({here, next})) continue;
      before[static_cast<size_t>(next)] = here;
      open.push(next);
    }
  }
  if (before[static_cast<size_t>(end)] < 0) return {};
  std::vector<int> path = {end};
  while (path.back() != start) path.push_back(before[static_cast<size_t>(path.back())]);
  std::reverse(path.begin(), path.end());
  return path;
}

Route Router::Through(int gpu_a, int gpu_b, const Ends& ends,
                      const std::vector<int>& switches) const {
  Route route;
  const int node = cluster_.node.gpus;
  route.forwarded = ends.sender != gpu_a || ends.receiver != gpu_b;
  route.vertices.push_back(ids_.gpu(gpu_a));
  if (ends.sender != gpu_a) {
    route.vertices.push_back(ids_.nvlink_switch(gpu_a / node));
    route.vertices.push_back(ids_.gpu(ends.sender));
  }
  route.vertices.push_back(ids_.nic(ends.from.node, ends.from.nic));
  for (int number : switches) route.vertices.push_back(ids_.fabric_switch(number));
  route.vertices.push_back(ids_.nic(ends.to.node, ends.to.nic));
  route.vertices.push_back(ids_.gpu(ends.receiver));
  if (ends.receiver != gpu_b) {
    route.vertices.push_back(ids_.nvlink_switch(gpu_b / node));
    route.vertices.push_back(ids_.gpu(gpu_b));
  }
  Finish(route);
  return route;
}

void Router::Finish(Route& route) const {
  route.bottleneck = Bandwidth(std::numeric_limits<double>::infinity());
  route.links.reserve(route.vertices.size() - 1);
  for (size_t i = 0; i + 1 < route.vertices.size(); ++i) {
    const LinkId id = links_.Between(route.vertices[i], route.vertices[i + 1]);
    PIPESCOPE_CHECK(id >= 0);
    const Link link = links_[id];
    route.links.push_back(id);
    route.bottleneck = std::min(route.bottleneck, link.capacity);
    route.latency += link.latency;
  }
}

Route Router::Between(int gpu_a, int gpu_b) const {
  PIPESCOPE_CHECK(gpu_a >= 0 && gpu_a < cluster_.gpus());
  PIPESCOPE_CHECK(gpu_b >= 0 && gpu_b < cluster_.gpus());
  const int node = cluster_.node.gpus;
  Route route;
  if (gpu_a == gpu_b) {
    route.vertices = {ids_.gpu(gpu_a)};
    route.bottleneck = cluster_.gpu.memory_bandwidth;
    return route;
  }
  if (gpu_a / node == gpu_b / node) {
    route.vertices = {ids_.gpu(gpu_a), ids_.nvlink_switch(gpu_a / node), ids_.gpu(gpu_b)};
    Finish(route);
    return route;
  }
  const Ends ends = EndsOf(gpu_a, gpu_b);
  if (policy_.choice == PathChoice::kValiant) {
    std::vector<Route> ways = Around(gpu_a, gpu_b, 1);
    if (!ways.empty()) return std::move(ways.front());
  }
  return Through(gpu_a, gpu_b, ends, *LivePath(ends, KeyOf(ends)));
}

int64_t Router::PathCount(int gpu_a, int gpu_b) const {
  const int node = cluster_.node.gpus;
  if (gpu_a / node == gpu_b / node) return 1;
  const Ends ends = EndsOf(gpu_a, gpu_b);
  return layout_->PathCount(ends.from, ends.to);
}

std::vector<Route> Router::Ways(int gpu_a, int gpu_b) const {
  const int node = cluster_.node.gpus;
  if (gpu_a / node == gpu_b / node) return {Between(gpu_a, gpu_b)};
  const Ends ends = EndsOf(gpu_a, gpu_b);
  const int64_t count = layout_->PathCount(ends.from, ends.to);
  const auto first = static_cast<int64_t>(KeyOf(ends) % static_cast<uint64_t>(count));
  std::vector<Route> ways;
  for (int64_t i = 0; i < std::min(count, kMostWays); ++i) {
    const std::vector<int> path = layout_->Path(ends.from, ends.to, (first + i) % count);
    if (Lives(path)) ways.push_back(Through(gpu_a, gpu_b, ends, path));
  }
  if (ways.empty()) ways.push_back(Between(gpu_a, gpu_b));
  return ways;
}

std::vector<LinkShare> Router::Spread(int gpu_a, int gpu_b) const {
  std::map<LinkId, double> shares;
  const std::vector<Route> ways = Ways(gpu_a, gpu_b);
  for (const Route& way : ways) {
    for (LinkId id : way.links) shares[id] += 1.0 / static_cast<double>(ways.size());
  }
  std::vector<LinkShare> list;
  for (const auto& [link, share] : shares) list.push_back({link, share});
  return list;
}

std::string Router::Name(int vertex) const {
  if (vertex < cluster_.gpus()) return fmt::format("gpu {}", vertex);
  if (vertex < ids_.nic(0, 0)) return fmt::format("nvlink {}", vertex - ids_.nvlink_switch(0));
  if (vertex < ids_.fabric_switch(0)) {
    const int nic = vertex - ids_.nic(0, 0);
    return fmt::format("nic {}.{}", nic / ids_.nics_per_node(), nic % ids_.nics_per_node());
  }
  const int number = vertex - ids_.fabric_switch(0);
  return layout_->NameOf(number);
}

Route RouteBetween(const Cluster& cluster, int gpu_a, int gpu_b) {
  return Router(cluster).Between(gpu_a, gpu_b);
}

}  // namespace pipescope::topology
