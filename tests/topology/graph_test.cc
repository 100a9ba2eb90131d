#include "topology/graph.h"

#include <gtest/gtest.h>

#include <boost/graph/connected_components.hpp>
#include <map>
#include <string>
#include <vector>

#include "tests/topology/make.h"
#include "tests/topology/max_flow.h"
#include "topology/load.h"

namespace pipescope::topology {
namespace {

TEST(Graph, HasEveryPartOnce) {
  const Cluster cluster = LoadCluster("h800_2048_fat_tree").value();
  const Graph graph = BuildGraph(cluster);
  EXPECT_EQ(num_vertices(graph), 4448u);
  EXPECT_EQ(num_edges(graph), 8192u);
  const VertexIds ids(cluster);
  EXPECT_EQ(graph[static_cast<size_t>(ids.gpu(9))].kind, VertexKind::kGpu);
  EXPECT_EQ(graph[static_cast<size_t>(ids.nvlink_switch(0))].kind, VertexKind::kNvlinkSwitch);
  EXPECT_EQ(graph[static_cast<size_t>(ids.nic(0, 0))].kind, VertexKind::kNic);
  EXPECT_EQ(graph[static_cast<size_t>(ids.fabric_switch(0))].kind, VertexKind::kLeaf);
  EXPECT_EQ(graph[static_cast<size_t>(ids.fabric_switch(95))].kind, VertexKind::kSpine);
}

TEST(Graph, CountsAgreeWithCountParts) {
  for (const std::string& name : ShippedClusters()) {
    const Cluster cluster = LoadCluster(name).value();
    const Graph graph = BuildGraph(cluster);
    const Counts counts = CountParts(cluster);
    std::map<VertexKind, int> kinds;
    for (auto [v, end] = vertices(graph); v != end; ++v) ++kinds[graph[*v].kind];
    EXPECT_EQ(kinds[VertexKind::kGpu], counts.gpus);
    EXPECT_EQ(kinds[VertexKind::kNvlinkSwitch], counts.nvlink_switches);
    EXPECT_EQ(kinds[VertexKind::kNic], counts.nics);
    EXPECT_EQ(kinds[VertexKind::kLeaf], counts.leaves);
    EXPECT_EQ(kinds[VertexKind::kSpine], counts.spines);
    EXPECT_EQ(kinds[VertexKind::kCore], counts.cores);
    int64_t switch_cables = 0;
    for (auto [e, end] = edges(graph); e != end; ++e) {
      const bool between = graph[source(*e, graph)].kind >= VertexKind::kLeaf &&
                           graph[target(*e, graph)].kind >= VertexKind::kLeaf;
      if (between) switch_cables += graph[*e].cables;
    }
    EXPECT_EQ(switch_cables, counts.switch_cables);
  }
}

// What the NICs can put into a full tree, every level can carry: capacity towards the top is kept.
TEST(Graph, CapacityIsConserved) {
  for (const std::string& name : ShippedClusters()) {
    const Cluster cluster = LoadCluster(name).value();
    const Graph graph = BuildGraph(cluster);
    double nic_side = 0;
    for (auto [v, end] = vertices(graph); v != end; ++v) {
      if (graph[*v].kind != VertexKind::kLeaf) continue;
      double down = 0;
      double up = 0;
      for (auto [e, last] = out_edges(*v, graph); e != last; ++e) {
        const bool to_nic = graph[target(*e, graph)].kind == VertexKind::kNic;
        (to_nic ? down : up) += graph[*e].capacity.value();
      }
      EXPECT_GE(up, down) << name;
      nic_side += down;
    }
    EXPECT_DOUBLE_EQ(nic_side, cluster.node.nic.value() * cluster.nodes * cluster.node.nics);
  }
}

TEST(Graph, PlanesMeetOnlyInNodes) {
  const Cluster cluster = MakeMultiPlane(64, 8);
  const Graph graph = BuildGraph(cluster);
  std::vector<int> component(num_vertices(graph));
  EXPECT_EQ(connected_components(graph, component.data()), 1);
  // Without the GPUs' edges, the fabric falls apart into its planes.
  Graph fabric = graph;
  for (int gpu = 0; gpu < cluster.gpus(); ++gpu) clear_vertex(static_cast<size_t>(gpu), fabric);
  component.assign(component.size(), 0);
  const int isolated = cluster.gpus() + cluster.nodes;  // GPUs, NVLink switches
  EXPECT_EQ(connected_components(fabric, component.data()), 8 + isolated);
}

TEST(Graph, FatTreesHaveFullBisection) {
  Cluster small = MakeCluster(32);
  small.fabric.switch_ports = 8;
  small.fabric.levels = 3;
  small.node.nics = 4;
  Cluster rails = MakeCluster(64);
  rails.fabric.rail_optimized = true;
  for (const Cluster& cluster : {MakeCluster(256), small, rails, MakeMultiPlane(64, 8)}) {
    ASSERT_TRUE(CheckCluster(cluster));
    const int64_t half = int64_t{cluster.nodes} * cluster.node.nics / 2;
    EXPECT_EQ(MaxFlow(cluster), half);
    EXPECT_DOUBLE_EQ(CountParts(cluster).bisection.value(),
                     cluster.node.nic.value() * static_cast<double>(half));
  }
}

TEST(Graph, OversubscriptionDividesTheBisection) {
  Cluster cluster = MakeCluster(48);
  cluster.fabric.oversubscription = 3;  // 48 down, 16 up: 8 full leaves
  ASSERT_TRUE(CheckCluster(cluster));
  EXPECT_EQ(MaxFlow(cluster), 48 * 8 / 2 / 3);
  EXPECT_DOUBLE_EQ(CountParts(cluster).bisection.value(), 64 * 50e9);
}

TEST(Graph, OneNodeStandsAlone) {
  Cluster cluster = MakeCluster(1);
  cluster.fabric = {};
  ASSERT_TRUE(CheckCluster(cluster));
  const Graph graph = BuildGraph(cluster);
  EXPECT_EQ(num_vertices(graph), 9u);
  EXPECT_EQ(num_edges(graph), 8u);
}

}  // namespace
}  // namespace pipescope::topology
