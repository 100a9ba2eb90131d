#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "reports/topology_json.h"
#include "reports/topology_text.h"
#include "tests/topology/make.h"
#include "topology/load.h"

namespace pipescope::reports {
namespace {

TEST(TopologyText, SmallMultiPlane) {
  EXPECT_EQ(TopologyText(topology::MakeMultiPlane(64, 8)),
            R"(made: 64 nodes x 8 GPU = 512 GPUs

GPU        132 SMs; dense BF16 989.4 TFLOPS, FP8 1.979 PFLOPS; vector FP32 66.90 TFLOPS (peaks)
           80.00 GiB of memory at 3.350 TB/s
Node       8 GPUs; NVLink 160.0 GB/s a GPU and direction, 3.330 us
           8 NICs of 50.00 GB/s (nominal); PCIe 64.00 GB/s a GPU
Fabric     multi-plane, 8 planes, 2 levels, 64 ports a switch, oversubscription 1
           24 switches: 16 leaf, 8 spine, 0 core
           512 endpoints; 512 cables between NIC and leaf, 512 between switches
           bisection 12.80 TB/s per direction; latency 150.0 ns a cable, 300.0 ns a switch, 1.100 us a NIC

Route                    From -> to   Bottleneck    Latency  Path
same node                    0 -> 1   160.0 GB/s   3.330 us  gpu 0 > nvlink 0 > gpu 1
next node, same GPU          0 -> 8   50.00 GB/s   2.800 us  gpu 0 > nic 0.0 > leaf 0 > nic 1.0 > gpu 8
next node, next NIC          0 -> 9   50.00 GB/s   6.130 us  gpu 0 > nvlink 0 > gpu 1 > nic 0.1 > leaf 3 > nic 1.1 > gpu 9
last node, same GPU        0 -> 504   50.00 GB/s   3.700 us  gpu 0 > nic 0.0 > leaf 0 > spine 2 > leaf 1 > nic 63.0 > gpu 504
last node, last GPU        0 -> 511   50.00 GB/s   7.030 us  gpu 0 > nvlink 0 > gpu 7 > nic 0.7 > leaf 21 > spine 23 > leaf 22 > nic 63.7 > gpu 511
Bottlenecks are for one message alone, at the rates above.
)");
}

TEST(TopologyText, OneGpuAlone) {
  topology::Cluster cluster = topology::MakeCluster(1);
  cluster.node.gpus = 1;
  cluster.gpu.fp8 = FlopRate();
  cluster.fabric = {};
  EXPECT_EQ(TopologyText(cluster), R"(made: 1 node x 1 GPU = 1 GPU

GPU        132 SMs; dense BF16 989.4 TFLOPS, no FP8; vector FP32 66.90 TFLOPS (peaks)
           80.00 GiB of memory at 3.350 TB/s
Node       1 GPU
Fabric     none: the node stands alone
)");
}

TEST(TopologyJson, SaysTheSame) {
  const auto json =
      nlohmann::json::parse(TopologyJson(topology::LoadCluster("h800_2048_fat_tree").value()));
  EXPECT_EQ(json["gpus"], 2048);
  EXPECT_EQ(json["counts"]["leaves"], 64);
  EXPECT_EQ(json["counts"]["endpoints"], 2048);
  EXPECT_EQ(json["fabric"]["kind"], "fat-tree");
  EXPECT_EQ(json["gpu"]["memory_bytes"], 85'520'809'984);
  ASSERT_EQ(json["routes"].size(), 5u);
  EXPECT_DOUBLE_EQ(json["routes"][1]["latency_s"], 2.8e-6);
  EXPECT_EQ(json["routes"][1]["bottleneck_bytes_per_second"], 50e9);
  EXPECT_EQ(json["routes"][1]["hops"], json["routes"][1]["path"].size() - 1);
}

TEST(TopologyJson, BadUtf8IsReplaced) {
  topology::Cluster cluster = topology::MakeCluster(2);
  cluster.name = "\xff";
  EXPECT_TRUE(nlohmann::json::accept(TopologyJson(cluster)));
}

}  // namespace
}  // namespace pipescope::reports
