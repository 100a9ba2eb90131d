// The way between two GPUs: computed when asked, never stored, always the same.
//
//   the same node            GPU, NVLink switch, GPU
//   NICs that are joined     GPU, NIC, leaf (, spine (, core, spine), leaf), NIC, GPU
//   NICs that are not        forwarded on the sender (PXN): first over NVLink to the GPU whose NIC
//                            is in the destination's plane, then as above. kForwardOnSender does so
//                            whenever the NIC indices differ, which keeps rails off the spines.
//
//   bottleneck = min over the path's edges of their capacity, for one transfer alone
//   latency    = sum over edges and inner vertices
//
// Latencies are calibrated with published ones from one end to the other, 64 bytes, seen by the
// CPU (ISCA 2025, arXiv 2505.09343, Table 5): InfiniBand 2.8 us under one leaf, 3.7 us across
// leaves. With a NIC's n, a cable's l and a switch's s:
//   2 n + 2 l + s = 2.8 us,   2 n + 4 l + 3 s = 3.7 us   =>   l + s = 0.45 us, n = 1.4 us - l - s /
//   2
// How 0.45 us splits into cable and switch is not published; the shipped files say l = 0.15 us (30
// m of fibre) and s = 0.3 us, hence n = 1.1 us, which includes the software of both ends. Only the
// sums matter to a route. NVLink's 3.33 us is from the same table and used whole; a copy that a
// kernel starts sees less.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/base/units.h"
#include "topology/cluster.h"
#include "topology/fabric.h"
#include "topology/graph.h"

namespace pipescope::topology {

enum class RoutePolicy { kDefault, kForwardOnSender };

struct Route {
  std::vector<int> vertices;  // from GPU to GPU, as VertexIds counts; one where they are the same
  Bandwidth bottleneck;       // HBM's rate where they are the same
  Duration latency;
  bool forwarded = false;

  int hops() const { return static_cast<int>(vertices.size()) - 1; }  // edges
};

// Keeps what routes of one cluster share. Copies what it needs; safe to use from many threads.
class Router {
 public:
  explicit Router(const Cluster& cluster, RoutePolicy policy = RoutePolicy::kDefault);
  // Both GPUs count from 0 over the whole cluster, node by node.
  Route Between(int gpu_a, int gpu_b) const;
  // "gpu 9", "nvlink 1", "nic 1.3" (node.index), "spine 70": a vertex for people.
  std::string Name(int vertex) const;

 private:
  int NicOf(int gpu) const;
  void AppendNvlink(int to_gpu, Route& route) const;
  void AppendFabric(int from_gpu, int to_gpu, Route& route) const;

  Cluster cluster_;
  VertexIds ids_;
  std::unique_ptr<FabricLayout> layout_;
  RoutePolicy policy_;
};

// For a single route; a Router is cheaper for many.
Route RouteBetween(const Cluster& cluster, int gpu_a, int gpu_b);

}  // namespace pipescope::topology
