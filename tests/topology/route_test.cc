#include "topology/route.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <string>

#include "tests/topology/make.h"
#include "topology/load.h"

namespace pipescope::topology {
namespace {

// A route walks along edges of the graph, and says the min and the sum of what it walks over.
void ExpectWalksTheGraph(const Graph& graph, const Route& route, int from, int to) {
  ASSERT_EQ(route.vertices.front(), from);
  ASSERT_EQ(route.vertices.back(), to);
  Bandwidth least(std::numeric_limits<double>::infinity());
  Duration sum;
  for (size_t i = 0; i + 1 < route.vertices.size(); ++i) {
    const auto a = static_cast<size_t>(route.vertices[i]);
    const auto b = static_cast<size_t>(route.vertices[i + 1]);
    const auto [found, exists] = edge(a, b, graph);
    ASSERT_TRUE(exists) << a << " - " << b;
    least = std::min(least, graph[found].capacity);
    sum += graph[found].latency;
    if (i > 0) sum += graph[a].latency;
  }
  EXPECT_EQ(route.bottleneck, least);
  EXPECT_EQ(route.latency, sum);
}

void CheckRandomPairs(const Cluster& cluster, RoutePolicy policy) {
  ASSERT_TRUE(CheckCluster(cluster));
  const Graph graph = BuildGraph(cluster);
  const Router router(cluster, policy);
  std::mt19937 random(1);
  std::uniform_int_distribution<int> pick(0, cluster.gpus() - 1);
  for (int i = 0; i < 3000; ++i) {
    const int a = pick(random);
    const int b = pick(random);
    if (a != b) ExpectWalksTheGraph(graph, router.Between(a, b), a, b);
  }
}

TEST(Route, ShippedTopologiesWalkTheirGraphs) {
  for (const std::string& name : ShippedClusters()) {
    const Cluster cluster = LoadCluster(name).value();
    CheckRandomPairs(cluster, RoutePolicy{});
    CheckRandomPairs(cluster, RoutePolicy{.to_rail = true});
  }
}

TEST(Route, OddShapesWalkTheirGraphs) {
  Cluster three_levels = MakeCluster(40);
  three_levels.fabric.levels = 3;
  three_levels.fabric.switch_ports = 12;
  three_levels.node.nics = 2;
  Cluster rails = MakeCluster(45);
  rails.fabric.rail_optimized = true;
  rails.fabric.levels = 3;
  rails.fabric.switch_ports = 16;
  rails.fabric.oversubscription = 3;
  Cluster shared = MakeMultiPlane(50, 2);
  shared.node.nics = 4;
  Cluster slow_pcie = MakeCluster(9);
  slow_pcie.node.pcie = GigabytesPerSecond(12);
  Cluster single = MakeCluster(100);
  single.node.gpus = single.node.nics = 1;
  for (const Cluster& cluster : {three_levels, rails, shared, slow_pcie, single}) {
    CheckRandomPairs(cluster, RoutePolicy{});
    CheckRandomPairs(cluster, RoutePolicy{.to_rail = true});
  }
}

// Table 5 of arXiv 2505.09343, to the picosecond.
TEST(Route, LatenciesAsPublished) {
  const Cluster cluster = LoadCluster("h800_2048_fat_tree").value();
  EXPECT_EQ(RouteBetween(cluster, 0, 1).latency, Microseconds(3.33));
  EXPECT_EQ(RouteBetween(cluster, 0, 8).latency, Microseconds(2.8));
  EXPECT_EQ(RouteBetween(cluster, 0, 2047).latency, Microseconds(3.7));
}

TEST(Route, WithinANodeIsNvlink) {
  const Route route = RouteBetween(MakeCluster(4), 9, 14);
  EXPECT_EQ(route.hops(), 2);
  EXPECT_EQ(route.bottleneck, GigabytesPerSecond(160));
  EXPECT_FALSE(route.forwarded);
}

TEST(Route, ToItselfIsLocal) {
  const Route route = RouteBetween(MakeCluster(4), 9, 9);
  EXPECT_EQ(route.hops(), 0);
  EXPECT_EQ(route.latency, Duration());
  EXPECT_EQ(route.bottleneck, GigabytesPerSecond(3350));
}

TEST(Route, PlanesAreCrossedOnTheSender) {
  const Router router(MakeMultiPlane(64, 8));
  const Route route = router.Between(0, 8 * 40 + 5);
  EXPECT_TRUE(route.forwarded);
  ASSERT_GE(route.vertices.size(), 4u);
  EXPECT_EQ(router.Name(route.vertices[1]), "nvlink 0");
  EXPECT_EQ(router.Name(route.vertices[2]), "gpu 5");
  EXPECT_EQ(router.Name(route.vertices[3]), "nic 0.5");
  EXPECT_EQ(route.latency, Microseconds(3.33 + 3.7));
  EXPECT_FALSE(router.Between(5, 8 * 40 + 5).forwarded);
}

TEST(Route, RailsCrossTheSpineUnlessForwarded) {
  Cluster cluster = MakeCluster(64);
  cluster.fabric.rail_optimized = true;
  EXPECT_EQ(RouteBetween(cluster, 0, 8).hops(), 4);  // GPU, NIC, leaf, NIC, GPU
  EXPECT_EQ(RouteBetween(cluster, 0, 9).hops(), 6);  // and leaf, spine, leaf
  EXPECT_EQ(RouteBetween(cluster, 0, 8 * 40).hops(), 6);
  const Route forwarded = Router(cluster, RoutePolicy{.to_rail = true}).Between(0, 9);
  EXPECT_TRUE(forwarded.forwarded);
  EXPECT_EQ(forwarded.hops(), 6);  // two over NVLink, then under one leaf
  EXPECT_EQ(forwarded.latency, Microseconds(3.33 + 2.8));
}

// Shifts by whole nodes, the traffic of pipelines and rings, load all spines alike.
TEST(Route, ShiftsSpreadOverSpines) {
  const Cluster cluster = LoadCluster("h800_2048_fat_tree").value();
  const Router router(cluster);
  std::map<std::pair<int, int>, int> load;
  for (int gpu = 0; gpu < cluster.gpus(); ++gpu) {
    const Route route = router.Between(gpu, (gpu + 1024) % cluster.gpus());
    for (size_t i = 0; i + 1 < route.vertices.size(); ++i) {
      ++load[{route.vertices[i], route.vertices[i + 1]}];
    }
  }
  for (const auto& [link, flows] : load) EXPECT_EQ(flows, 1);
}

TEST(Route, IsAlwaysTheSame) {
  const Cluster cluster = MakeMultiPlane(64, 4);
  const Router first(cluster);
  const Router second(cluster);
  for (int gpu = 1; gpu < cluster.gpus(); ++gpu) {
    EXPECT_EQ(first.Between(0, gpu).vertices, second.Between(0, gpu).vertices);
  }
}

}  // namespace
}  // namespace pipescope::topology
