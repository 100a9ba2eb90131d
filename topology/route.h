// The way between two GPUs: computed when asked, never stored, always the same.
//
//   the same node            GPU, NVLink switch, GPU
//   NICs that are joined     GPU, NIC, switches, NIC, GPU
//   NICs that are not        forwarded on the sender (PXN): first over NVLink to the GPU whose NIC
//                            is in the destination's plane, then as above. `to_rail` does so
//                            whenever the NIC indices differ, which keeps rails off the spines.
//   a NIC that is dead       another GPU's NIC of the node stands in, over NVLink: on the sender's
//                            side, the receiver's, or both
//
//   bottleneck = min over the path's links of their capacity, for one transfer alone
//   latency    = sum over its links (links.h)
//
// Of the equally short ways through the fabric (FabricLayout::Path) a policy picks:
//
//   kByDestination   way `DestinationKey` % count: all to one NIC meets early, as with the static
//                    tables of InfiniBand; permutations that shift by whole nodes do not collide
//   kHash            way h % count, h = the SplitMix64 finalizer of (seed, source NIC, destination
//                    NIC): ECMP on a pair. Pairs collide: n flows over n ways leave some way idle
//                    and give another about log n / log log n flows.
//   kValiant         by a switch that h picks, as short as it can be to there and on: twice as long
//                    as the shortest way, and alike for whatever traffic (Valiant & Brebner, STOC
//                    1981). Where Direct fabrics (fabric.h) alone have longer ways: trees' ways by
//                    a hashed spine are just that, so there it is kHash.
//   Spread           all ways in equal parts: the ideal of packet spraying
//   Ways, Around     all of them, and some longer ones, to choose from by load (least_loaded.h)
//
// A way with a dead link is passed over: the next one by number is taken. Where all are dead, the
// shortest way over what lives.
//
// Latencies are calibrated with published ones from one end to the other, 64 bytes, seen by the
// CPU (ISCA 2025, arXiv 2505.09343, Table 5): InfiniBand 2.8 us under one leaf, 3.7 us across
// leaves, NVLink 3.33 us.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "topology/fabric.h"
#include "topology/graph.h"
#include "topology/links.h"

namespace pipescope::topology {

enum class PathChoice { kByDestination, kHash, kValiant };

struct RoutePolicy {
  PathChoice choice = PathChoice::kByDestination;
  bool to_rail = false;  // PXN: leave by the NIC that has the destination's index
  uint64_t seed = 0;     // kHash, kValiant, Around
};

struct Route {
  std::vector<int> vertices;  // from GPU to GPU, as VertexIds counts; one where they are the same
  std::vector<LinkId> links;  // between them
  Bandwidth bottleneck;       // HBM's rate where they are the same
  Duration latency;
  bool forwarded = false;

  int hops() const { return static_cast<int>(vertices.size()) - 1; }
};

// A part of a transfer that is spread: `share` of its bytes pass this link.
struct LinkShare {
  LinkId link = 0;
  double share = 0;
};

// Keeps what routes of one cluster share. Copies what it needs; safe to use from many threads. The
// cluster must have passed CheckCluster, which sees to it that every two GPUs are joined.
class Router {
 public:
  explicit Router(const Cluster& cluster, RoutePolicy policy = {});
  // Both GPUs count from 0 over the whole cluster, node by node.
  Route Between(int gpu_a, int gpu_b) const;
  // The equally short ways between the NICs that these two GPUs use; 1 within a node.
  int64_t PathCount(int gpu_a, int gpu_b) const;
  // Those that live, the one that Between takes first, then by number.
  std::vector<Route> Ways(int gpu_a, int gpu_b) const;
  // Up to `count` different ways of kValiant that live; none but on Direct fabrics.
  std::vector<Route> Around(int gpu_a, int gpu_b, int count) const;
  // Every link that any way uses, ascending; the links of GPUs and NICs have share 1.
  std::vector<LinkShare> Spread(int gpu_a, int gpu_b) const;

  const LinkTable& links() const { return links_; }
  // "gpu 9", "nvlink 1", "nic 1.3" (node.index), "spine 70": a vertex for people.
  std::string Name(int vertex) const;

 private:
  // Which NICs a transfer uses, and the GPUs that lend them.
  struct Ends {
    int sender = 0;
    int receiver = 0;
    NicAt from, to;
  };
  Ends EndsOf(int gpu_a, int gpu_b) const;
  Ends Preferred(int gpu_a, int gpu_b) const;
  bool Usable(const Ends& ends) const;
  bool NicLives(NicAt at) const;
  int GpuOf(NicAt at, int wanted) const;
  uint64_t KeyOf(const Ends& ends) const;
  uint64_t HashOf(const Ends& ends) const;
  std::vector<int> Detoured(const Ends& ends, uint64_t hash) const;
  bool Lives(const std::vector<int>& switches) const;
  std::optional<std::vector<int>> LivePath(const Ends& ends, uint64_t key) const;
  std::vector<int> Detour(NicAt from, NicAt to) const;
  Route Through(int gpu_a, int gpu_b, const Ends& ends, const std::vector<int>& switches) const;
  void Finish(Route& route) const;

  Cluster cluster_;
  VertexIds ids_;
  std::unique_ptr<FabricLayout> layout_;
  LinkTable links_;
  RoutePolicy policy_;
};

// For a single route; a Router is cheaper for many.
Route RouteBetween(const Cluster& cluster, int gpu_a, int gpu_b);

}  // namespace pipescope::topology
