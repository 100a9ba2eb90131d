#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/base/quantity.h"
#include "topology/graph.h"
#include "topology/load.h"

namespace pipescope::topology {
namespace {

struct Expected {
  const char* name;
  int nodes, gpus, leaves, spines;
  double nvlink_gigabytes, bisection_terabytes;
};

TEST(Shipped, AllLoadWithTheirCounts) {
  const std::vector<Expected> all = {{"gb200_nvl72", 8, 576, 18, 16, 900, 14.4},
                                     {"h100_dgx_pod", 128, 1024, 32, 16, 450, 25.6},
                                     {"h800_2048_fat_tree", 256, 2048, 64, 32, 160, 51.2},
                                     {"h800_2048_multi_plane", 256, 2048, 64, 32, 160, 51.2}};
  const std::vector<std::string> names = ShippedClusters();
  ASSERT_EQ(names.size(), all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(names[i], all[i].name);
    auto cluster = LoadCluster(all[i].name);
    ASSERT_TRUE(cluster) << cluster.error().ToString();
    const Counts counts = CountParts(*cluster);
    EXPECT_EQ(cluster->nodes, all[i].nodes);
    EXPECT_EQ(cluster->gpus(), all[i].gpus);
    EXPECT_EQ(counts.leaves, all[i].leaves);
    EXPECT_EQ(counts.spines, all[i].spines);
    EXPECT_EQ(counts.cores, 0);
    EXPECT_EQ(cluster->node.nvlink, GigabytesPerSecond(all[i].nvlink_gigabytes));
    EXPECT_EQ(cluster->node.nic, GigabytesPerSecond(50));
    EXPECT_NEAR(counts.bisection.value(), all[i].bisection_terabytes * 1e12, 1);
    EXPECT_FALSE(cluster->source.empty());
  }
}

TEST(Shipped, H800IsAnH100WithLessNvlink) {
  const Cluster h800 = LoadCluster("h800_2048_fat_tree").value();
  EXPECT_EQ(h800.gpu.sms, 132);
  EXPECT_EQ(Format(h800.gpu.bf16), "989.4 TFLOPS");
  EXPECT_EQ(Format(h800.gpu.fp8), "1.979 PFLOPS");
  EXPECT_EQ(h800.gpu.memory, Bytes(85'520'809'984));
  EXPECT_EQ(h800.node.nvlink_nominal, GigabytesPerSecond(200));
  // Both fabrics hold the same machines.
  const Cluster planes = LoadCluster("h800_2048_multi_plane").value();
  EXPECT_EQ(planes.gpu.name, h800.gpu.name);
  EXPECT_EQ(planes.node.nvlink, h800.node.nvlink);
  EXPECT_EQ(planes.node.nics % planes.fabric.planes, 0);
}

TEST(Shipped, UnknownNamesAreSuggested) {
  EXPECT_EQ(LoadCluster("h800_2048_fattree").error().ToString(),
            "'h800_2048_fattree' is neither a file nor a shipped topology; did you mean "
            "'h800_2048_fat_tree'?");
  EXPECT_EQ(LoadCluster("xyz").error().ToString(),
            "'xyz' is neither a file nor a shipped topology; known: gb200_nvl72, h100_dgx_pod, "
            "h800_2048_fat_tree, h800_2048_multi_plane");
  EXPECT_EQ(LoadCluster("no/such.yaml").error().ToString(),
            "no/such.yaml: cannot be opened: No such file or directory");
  EXPECT_FALSE(LoadCluster(""));
}

}  // namespace
}  // namespace pipescope::topology
