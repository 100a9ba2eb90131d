// Longer ways through fabrics whose switches lie on each other's ways.
//
// Where all NICs of one group of a dragonfly send to one other group, all shortest ways cross the
// few cables between the two, and a torus' shortest ways may crowd likewise. Valiant's way to a
// switch picked by chance, and from there on, makes any traffic like the uniform one, at twice the
// load in all. A switch that both halves pass ends a loop, which is left out.
//
// Example: 9 groups of 4 routers with 2 NICs and 2 global cables each. Group 0 to group 1 by the
// shortest ways: 8 NICs over 1 cable. By Valiant's: 7 of 8 flows go by other groups.
#include <algorithm>

#include "topology/route.h"

namespace pipescope::topology {
namespace {

constexpr int kTriesPerWay = 4;

// The finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

void LeaveOutLoops(std::vector<int>& path) {
  for (size_t i = 0; i < path.size(); ++i) {
    const auto here = path.begin() + static_cast<int64_t>(i);
    const auto again = std::find(path.rbegin(), std::make_reverse_iterator(here + 1), path[i]);
    path.erase(here + 1, again.base() == here + 1 ? here + 1 : again.base());
  }
}

}  // namespace

// Positive as a signed number too.
uint64_t Router::HashOf(const Ends& ends) const {
  const auto from = static_cast<uint64_t>(ids_.nic(ends.from.node, ends.from.nic));
  const auto to = static_cast<uint64_t>(ids_.nic(ends.to.node, ends.to.nic));
  return Mix(Mix(Mix(policy_.seed) ^ from) ^ to) >> 1;
}

// By the switch of a NIC that the hash picks, the shortest ways of its choice to there and on.
std::vector<int> Router::Detoured(const Ends& ends, uint64_t hash) const {
  const auto nics =
      static_cast<uint64_t>(cluster_.nodes) * static_cast<uint64_t>(cluster_.node.nics);
  const int pick = static_cast<int>(hash % nics);
  const NicAt middle = {pick / cluster_.node.nics, pick % cluster_.node.nics};
  const auto key = static_cast<int64_t>(Mix(hash) >> 1);
  std::vector<int> path = layout_->Path(ends.from, middle, key);
  const std::vector<int> on = layout_->Path(middle, ends.to, key);
  path.insert(path.end(), on.begin() + 1, on.end());
  LeaveOutLoops(path);
  return path;
}

std::vector<Route> Router::Around(int gpu_a, int gpu_b, int count) const {
  const int node = cluster_.node.gpus;
  std::vector<Route> routes;
  if (gpu_a / node == gpu_b / node || !layout_->Direct()) return routes;
  const Ends ends = EndsOf(gpu_a, gpu_b);
  if (layout_->SwitchOf(ends.from) == layout_->SwitchOf(ends.to)) return routes;
  std::vector<std::vector<int>> taken;
  uint64_t hash = HashOf(ends);
  for (int i = 0; i < kTriesPerWay * count && static_cast<int>(taken.size()) < count; ++i) {
    std::vector<int> path = Detoured(ends, hash);
    hash = Mix(hash) >> 1;
    if (!Lives(path) || std::find(taken.begin(), taken.end(), path) != taken.end()) continue;
    routes.push_back(Through(gpu_a, gpu_b, ends, path));
    taken.push_back(std::move(path));
  }
  return routes;
}

}  // namespace pipescope::topology
