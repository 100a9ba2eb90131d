// A cluster as a graph: GPUs, NVLink switches, NICs and switches, joined by edges that carry
// `capacity` in each direction.
//
//   GPU -- NVLink switch of the node     nvlink          a node's switch chips count as one vertex,
//   GPU -- NIC                           pcie            since every GPU uses them evenly
//   NIC -- leaf                          nic
//   switch -- switch                     cables * nic    parallel cables are one edge
//
// Latency sits where it arises: on the cable of an edge, and in the vertex that a message passes
// through (a switch, a NIC; the NVLink switch has all of NVLink's latency). The latency of a path
// is the sum over its edges and its inner vertices.
//
// Example: h800_2048_fat_tree has 2048 GPUs + 256 NVLink switches + 2048 NICs + 96 switches = 4448
// vertices, and 3 * 2048 + 2048 = 8192 edges. What is dead has no edge.
#pragma once

#include <boost/graph/adjacency_list.hpp>
#include <cstdint>

#include "sim/base/units.h"
#include "topology/cluster.h"
#include "topology/vertices.h"

namespace pipescope::topology {

enum class VertexKind { kGpu, kNvlinkSwitch, kNic, kLeaf, kSpine, kCore, kRouter };

struct Vertex {
  VertexKind kind = VertexKind::kGpu;
  int index = 0;     // among all of its group: GPUs, NVLink switches, NICs, fabric switches
  Duration latency;  // added to a message that passes through
};

struct Edge {
  Bandwidth capacity;  // per direction, all cables together
  Duration latency;
  int cables = 1;
};

// Vertices are GPUs, then NVLink switches, then NICs, then fabric switches (VertexIds).
using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::undirectedS, Vertex, Edge>;

// The cluster must have passed CheckCluster.
Graph BuildGraph(const Cluster& cluster);

// How much there is of each, counted without building the graph.
struct Counts {
  int gpus = 0;
  int nvlink_switches = 0;
  int nics = 0;
  int leaves = 0;
  int spines = 0;
  int cores = 0;
  int routers = 0;
  int64_t nic_cables = 0;     // NIC to leaf
  int64_t switch_cables = 0;  // between switches, of all kinds
  int64_t leaf_spine_cables = 0;
  int64_t spine_core_cables = 0;
  int64_t local_cables = 0;   // between switches of a dragonfly's group, or of a torus
  int64_t global_cables = 0;  // between groups
  // What half of the NICs can send to the other half, per direction, when nothing is broken. Of a
  // tree half of what each leaf's NICs and the cables above it both carry; of another fabric its
  // Cut, at most half of the NICs' rate. NVLink does not count.
  Bandwidth bisection;

  int switches() const { return leaves + spines + cores + routers; }
};

Counts CountParts(const Cluster& cluster);

}  // namespace pipescope::topology
