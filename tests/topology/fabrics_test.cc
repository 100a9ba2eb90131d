// Every kind of fabric against what others published, against a maximum flow, and by properties.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "tests/topology/make.h"
#include "tests/topology/max_flow.h"
#include "topology/graph.h"
#include "topology/load.h"
#include "topology/route.h"

namespace pipescope::topology {
namespace {

Cluster Dragonfly(int groups, int routers, int nics, int global, int nodes) {
  Cluster cluster = MakeCluster(nodes);
  Fabric& fabric = cluster.fabric;
  fabric.kind = FabricKind::kDragonfly;
  fabric.groups = groups;
  fabric.group_switches = routers;
  fabric.switch_nics = nics;
  fabric.global_cables = global;
  return cluster;
}

Cluster DragonflyPlus(int groups, int leaves, int spines, int nics, int global, int nodes) {
  Cluster cluster = Dragonfly(groups, leaves, nics, global, nodes);
  cluster.fabric.kind = FabricKind::kDragonflyPlus;
  cluster.fabric.group_spines = spines;
  return cluster;
}

Cluster Torus(std::vector<int> dimensions, int nics, int nodes) {
  Cluster cluster = MakeCluster(nodes);
  cluster.fabric.kind = FabricKind::kTorus;
  cluster.fabric.dimensions = std::move(dimensions);
  cluster.fabric.switch_nics = nics;
  return cluster;
}

// Table 3 of "Insights into DeepSeek-V3" (ISCA 2025, arXiv 2505.09343): endpoints, switches, links.
// Its Slim Fly row (32928, 1568, 32928) has q = 28, of which no McKay-Miller-Siran graph exists (28
// is no prime power): it counts by formula what cannot be cabled, and so no generator is shipped.
TEST(Fabrics, CountAsPublished) {
  const auto levels = [](Cluster cluster, int count) {
    cluster.fabric.levels = count;
    return cluster;
  };
  struct Row {
    const char* name;
    Cluster cluster;
    int endpoints, switches;
    int64_t cables;
  };
  const Row rows[] = {{"FT2", MakeCluster(256), 2048, 96, 2048},
                      {"MPFT", MakeMultiPlane(2048, 8), 16384, 768, 16384},
                      {"FT3", levels(MakeCluster(8192), 3), 65536, 5120, 131072},
                      {"DF", Dragonfly(511, 32, 16, 16, 32704), 261632, 16352, 384272}};
  for (const Row& row : rows) {
    const auto ok = CheckCluster(row.cluster);
    ASSERT_TRUE(ok) << row.name << ": " << ok.error().ToString();
    const Counts counts = CountParts(row.cluster);
    EXPECT_EQ(counts.nics, row.endpoints) << row.name;
    EXPECT_EQ(counts.switches(), row.switches) << row.name;
    EXPECT_EQ(counts.switch_cables, row.cables) << row.name;
    EXPECT_EQ(counts.leaf_spine_cables + counts.spine_core_cables + counts.local_cables +
                  counts.global_cables,
              counts.switch_cables)
        << row.name;
  }
  const Counts dragonfly = CountParts(rows[3].cluster);
  EXPECT_EQ(dragonfly.local_cables, 511 * 32 * 31 / 2);
  EXPECT_EQ(dragonfly.global_cables, 511 * 512 / 2);
  EXPECT_EQ(dragonfly.routers, 16352);
}

TEST(Fabrics, BisectionIsTheMaximumFlow) {
  const Cluster clusters[] = {Torus({4, 4}, 8, 16),
                              Torus({8, 4, 2}, 4, 32),
                              Torus({4, 4, 4}, 8, 64),
                              Dragonfly(4, 4, 8, 1, 16),
                              Dragonfly(8, 4, 4, 2, 16),
                              Dragonfly(2, 4, 8, 1, 8),
                              DragonflyPlus(4, 2, 2, 8, 3, 8),
                              DragonflyPlus(6, 4, 4, 4, 2, 12)};
  for (const Cluster& cluster : clusters) {
    const auto ok = CheckCluster(cluster);
    ASSERT_TRUE(ok) << ok.error().ToString();
    const double nic = cluster.node.nic.value();
    EXPECT_DOUBLE_EQ(CountParts(cluster).bisection.value() / nic,
                     static_cast<double>(MaxFlow(cluster)))
        << EntryOf(cluster.fabric.kind).name;
  }
}

// Whatever the numbers: no switch has more cables than ports, every pair of NICs is joined by as
// many different ways as the layout says, and each walks along cables.
void ExpectSound(const Cluster& cluster, std::mt19937& random) {
  const auto layout = MakeLayout(cluster);
  const LinkTable links(cluster, layout.get());
  const VertexIds ids(cluster);
  std::vector<int> ports(static_cast<size_t>(layout->switches()));
  layout->ForEachLink([&](const SwitchLink& link) {
    ASSERT_NE(link.lower, link.upper);
    ports[static_cast<size_t>(link.lower)] += link.cables;
    ports[static_cast<size_t>(link.upper)] += link.cables;
  });
  for (int nic = 0; nic < ids.nics(); ++nic) {
    ++ports[static_cast<size_t>(layout->SwitchOf({0, nic}))];
  }
  if (cluster.fabric.switch_ports > 0) {
    for (int used : ports) EXPECT_LE(used, cluster.fabric.switch_ports);
  }
  std::uniform_int_distribution<int> pick(0, ids.nics() - 1);
  for (int i = 0; i < 40; ++i) {
    const int nics = cluster.node.nics;
    const int a = pick(random);
    const int b = pick(random);
    const NicAt from = {a / nics, a % nics};
    const NicAt to = {b / nics, b % nics};
    if (!layout->Joined(from, to)) continue;
    const int64_t count = layout->PathCount(from, to);
    ASSERT_GE(count, 1);
    std::set<std::vector<int>> ways;
    for (int64_t way = 0; way < std::min<int64_t>(count, 64); ++way) {
      const auto path = layout->Path(from, to, way);
      ASSERT_EQ(path.front(), layout->SwitchOf(from));
      ASSERT_EQ(path.back(), layout->SwitchOf(to));
      EXPECT_EQ(path, layout->Path(from, to, way + count));
      for (size_t hop = 0; hop + 1 < path.size(); ++hop) {
        ASSERT_GE(links.Between(ids.fabric_switch(path[hop]), ids.fabric_switch(path[hop + 1])), 0);
      }
      EXPECT_EQ(path.size(), layout->Path(from, to, 0).size());
      ways.insert(path);
    }
    // Parallel cables between two switches are ways that look alike.
    const bool groups = cluster.fabric.groups > 0;
    if (!groups) {
      EXPECT_EQ(std::ssize(ways), std::min<int64_t>(count, 64));
    }
  }
}

TEST(Fabrics, RandomShapesAreSound) {
  std::mt19937 random(7);
  const auto upto = [&](int most) { return std::uniform_int_distribution<int>(1, most)(random); };
  int built = 0;
  for (int i = 0; i < 600; ++i) {
    Cluster cluster;
    const int nodes = upto(40);
    if (i % 3 == 0) cluster = Dragonfly(upto(20), upto(6), upto(8), upto(5), nodes);
    if (i % 3 == 1) cluster = DragonflyPlus(upto(20), upto(4), upto(4), upto(8), upto(5), nodes);
    if (i % 3 == 2) {
      std::vector<int> dimensions;
      for (int d = upto(4); d > 0; --d) dimensions.push_back(upto(6));
      cluster = Torus(dimensions, upto(8), nodes);
    }
    cluster.fabric.parallel_cables = upto(2);
    cluster.node.nics = 1 << (i % 4);
    if (!CheckCluster(cluster)) continue;
    ++built;
    ExpectSound(cluster, random);
  }
  EXPECT_GT(built, 200);
}

// A dragonfly that is full has one cable between every two groups: at most 4 routers on a way.
TEST(Fabrics, DragonflyWaysAreMinimal) {
  const Cluster cluster = Dragonfly(33, 8, 4, 4, 132);
  ASSERT_TRUE(CheckCluster(cluster));
  const Router router(cluster);
  for (int gpu = 8; gpu < cluster.gpus(); gpu += 7) {
    EXPECT_EQ(router.PathCount(0, gpu), 1);
    EXPECT_LE(router.Between(0, gpu).hops(), 4 + 3);
  }
}

TEST(Fabrics, TorusGoesTheShorterWay) {
  const Cluster cluster = Torus({4, 4, 4}, 8, 64);
  const Router router(cluster);
  // One step back along the first dimension: router 48 is next to router 0.
  EXPECT_EQ(router.Between(0, 48 * 8).hops(), 5);
  EXPECT_EQ(router.PathCount(0, (2 * 16 + 4) * 8), 4);  // 2 orders, 2 ways round
  EXPECT_EQ(router.Between(0, (2 * 16 + 2 * 4 + 2) * 8).hops(), 4 + 6);
  EXPECT_EQ(router.PathCount(0, (2 * 16 + 2 * 4 + 2) * 8), 6 * 8);
}

// 65536 GPUs build and route; what the test holds is counted, its time is for the report.
TEST(Fabrics, SixtyFiveThousandGpus) {
  Cluster tree = MakeCluster(8192);
  tree.fabric.levels = 3;
  for (const Cluster& cluster : {tree, Dragonfly(511, 32, 16, 16, 8192)}) {
    ASSERT_TRUE(CheckCluster(cluster));
    const Router router(cluster);
    EXPECT_EQ(cluster.gpus(), 65536);
    EXPECT_GE(router.links().size(), 2 * 3 * 65536);
    std::mt19937 random(3);
    std::uniform_int_distribution<int> pick(0, cluster.gpus() - 1);
    int64_t hops = 0;
    for (int i = 0; i < 200'000; ++i) {
      const Route route = router.Between(pick(random), pick(random));
      hops += route.hops();
    }
    EXPECT_GT(hops, 200'000 * 6);
    EXPECT_LE(hops, 200'000 * 8);
  }
}

}  // namespace
}  // namespace pipescope::topology
