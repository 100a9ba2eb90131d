#include "topology/clos.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/topology/make.h"
#include "topology/graph.h"

namespace pipescope::topology {
namespace {

struct Published {
  const char* what;
  Cluster cluster;
  int leaves, spines, cores;
  int64_t switch_cables;
};

Cluster Levels(Cluster cluster, int levels, bool rails) {
  cluster.fabric.levels = levels;
  cluster.fabric.rail_optimized = rails;
  return cluster;
}

// Table 3 of arXiv 2505.09343 and NVIDIA's tables of larger DGX SuperPODs (scalable units of 32
// nodes): what our rule builds must be what others built.
TEST(Clos, CountsAsPublished) {
  const Published cases[] = {
      {"FT2", Levels(MakeCluster(256), 2, false), 64, 32, 0, 2048},
      {"MPFT", MakeMultiPlane(2048, 8), 512, 256, 0, 16384},
      {"FT3", Levels(MakeCluster(8192), 3, false), 2048, 2048, 1024, 131072},
      {"2 SU", Levels(MakeCluster(64), 2, true), 16, 8, 0, 512},
      {"4 SU", Levels(MakeCluster(128), 2, true), 32, 16, 0, 1024},
      {"8 SU", Levels(MakeCluster(256), 2, true), 64, 32, 0, 2048},
      {"16 SU", Levels(MakeCluster(512), 3, true), 128, 128, 64, 8192},
      {"32 SU", Levels(MakeCluster(1024), 3, true), 256, 256, 128, 16384},
      {"64 SU", Levels(MakeCluster(2048), 3, true), 512, 512, 256, 32768},
  };
  for (const Published& published : cases) {
    ASSERT_TRUE(CheckCluster(published.cluster)) << published.what;
    const Counts counts = CountParts(published.cluster);
    EXPECT_EQ(counts.leaves, published.leaves) << published.what;
    EXPECT_EQ(counts.spines, published.spines) << published.what;
    EXPECT_EQ(counts.cores, published.cores) << published.what;
    EXPECT_EQ(counts.switch_cables, published.switch_cables) << published.what;
  }
}

TEST(Clos, OneNodeMoreNeedsMorePorts) {
  EXPECT_TRUE(CheckCluster(Levels(MakeCluster(256), 2, false)));
  EXPECT_FALSE(CheckCluster(Levels(MakeCluster(257), 2, false)));
  EXPECT_TRUE(CheckCluster(Levels(MakeCluster(257), 3, false)));
  EXPECT_TRUE(CheckCluster(Levels(MakeCluster(8192), 3, false)));
  EXPECT_FALSE(CheckCluster(Levels(MakeCluster(8193), 3, false)));
  EXPECT_TRUE(CheckCluster(Levels(MakeCluster(8), 1, false)));
  EXPECT_FALSE(CheckCluster(Levels(MakeCluster(9), 1, false)));
}

TEST(Clos, LeafPortsKeepTheRatio) {
  Fabric fabric = MakeCluster(1).fabric;
  for (double ratio : {1.0, 1.5, 2.0, 3.0, 7.0, 63.0, 4.0 / 3.0}) {
    fabric.oversubscription = ratio;
    auto ports = SplitLeafPorts(fabric);
    ASSERT_TRUE(ports) << ratio;
    EXPECT_LE(ports->down + ports->up, 64);
    EXPECT_NEAR(static_cast<double>(ports->down) / ports->up, ratio, 1e-6);
  }
  for (double ratio : {64.0, 3.14159, 1.001}) {
    fabric.oversubscription = ratio;
    EXPECT_FALSE(SplitLeafPorts(fabric)) << ratio;
  }
}

// Every tree that ShapeClos makes can be cabled: no switch uses more ports than it has, every leaf
// has all its uplinks, and every path walks along cables.
TEST(Clos, EveryShapeFitsItsPorts) {
  for (int levels : {1, 2, 3}) {
    for (int ports : {2, 3, 4, 8, 10, 64}) {
      for (int leaves = 1; leaves <= 70; ++leaves) {
        Fabric fabric = MakeCluster(1).fabric;
        fabric.levels = levels;
        fabric.switch_ports = ports;
        auto tree = ShapeClos(fabric, leaves);
        if (!tree) continue;
        std::map<int, int> up, down;
        std::set<std::pair<int, int>> joined;
        tree->ForEachLink([&](int lower, int upper, int cables) {
          ASSERT_GT(cables, 0);
          ASSERT_LT(upper, tree->switches());
          up[lower] += cables;
          down[upper] += cables;
          ASSERT_TRUE(joined.insert({lower, upper}).second);
        });
        for (const auto& [number, cables] : down) EXPECT_LE(cables + up[number], ports);
        for (int leaf = 0; leaf < leaves; ++leaf) EXPECT_EQ(up[leaf], tree->leaf_ports.up);
        for (int key = 0; key < 40; ++key) {
          const auto path = tree->Path(key % leaves, leaves - 1, key);
          for (size_t i = 0; i + 1 < path.size(); ++i) {
            const std::pair<int, int> link = std::minmax(path[i], path[i + 1]);
            EXPECT_TRUE(joined.contains(link));
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace pipescope::topology
