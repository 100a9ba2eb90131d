// Bad input beside the error it gives: each case changes one value of a good file.
#include "topology/load.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/topology/make.h"
#include "topology/route.h"

namespace pipescope::topology {
namespace {

// Lines are counted by the errors below.
constexpr const char* kGood =
    "name: test\n"
    "nodes: 4\n"
    "gpu:\n"
    "  name: GPU\n"
    "  sms: 132\n"
    "  bf16: 989.4 TFLOPS\n"
    "  fp32: 66.9 TFLOPS\n"
    "  memory: 80 GiB\n"
    "  memory_bandwidth: 3.35 TB/s\n"
    "node:\n"
    "  gpus: 8\n"
    "  nvlink: 160 GB/s\n"
    "  nvlink_nominal: 200 GB/s\n"
    "  nvlink_latency: 3.33 us\n"
    "  nics: 8\n"
    "  nic: 400 Gbps\n"
    "  pcie: 64 GB/s\n"
    "fabric:\n"
    "  kind: fat-tree\n"
    "  levels: 2\n"
    "  switch_ports: 64\n"
    "  oversubscription: 1\n"
    "  link_latency: 150 ns\n"
    "  switch_latency: 300 ns\n"
    "  nic_latency: 1.1 us\n";

std::string ErrorOf(const std::string& text) {
  auto document = ParseDocument(text, "t.yaml");
  if (!document) return document.error().ToString();
  auto cluster = ParseCluster(*document);
  return cluster ? "no error" : cluster.error().ToString();
}

// The good file with the first `from` replaced.
std::string With(const std::string& from, const std::string& to, std::string text = kGood) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

struct Case {
  const char* from;
  const char* to;
  const char* error;
};

constexpr Case kFields[] = {
    {"nodes: 4", "nodez: 4", "t.yaml:2:8: nodez: unknown name; did you mean 'nodes'?"},
    {"nodes: 4\n", "", "t.yaml:1:1: nodes: is missing"},
    {"nodes: 4", "nodes: 0", "t.yaml:2:8: nodes: '0': expected a whole number from 1 to 1000000"},
    {"nodes: 4", "nodes: 1e12",
     "t.yaml:2:8: nodes: '1e12': expected a whole number from 1 to 1000000"},
    {"nodes: 4", "nodes: many",
     "t.yaml:2:8: nodes: 'many': expected a whole number from 1 to 1000000"},
    {"sms: 132", "sms: [132]", "t.yaml:5:8: gpu.sms: is a list; expected a single value"},
    {"bf16: 989.4 TFLOPS", "bf16: 989.4",
     "t.yaml:6:9: gpu.bf16: '989.4': expected a rate of floating-point operations with its unit, "
     "such as '989.4 TFLOPS'"},
    {"bf16: 989.4 TFLOPS", "bf16: 0 TFLOPS", "t.yaml:6:9: gpu.bf16: must be above zero"},
    {"80 GiB", "80 Gib",
     "t.yaml:8:11: gpu.memory: '80 Gib': expected a size with its unit, such as '80 GiB'"},
    {"nvlink: 160 GB/s", "nvlink: 0 GB/s",
     "t.yaml:12:11: node.nvlink: must be above zero to join the 8 GPUs of a node"},
    {"nvlink: 160 GB/s", "nvlink: 450 GB/s",
     "t.yaml:12:11: node.nvlink: is what transfers reach; expected at most node.nvlink_nominal"},
    {"400 Gbps", "400",
     "t.yaml:16:8: node.nic: '400': expected a bandwidth with its unit, such as '400 Gbps' or '50 "
     "GB/s'"},
    {"400 Gbps", "-400 Gbps",
     "t.yaml:16:8: node.nic: '-400 Gbps': expected a bandwidth with its unit, such as '400 Gbps' "
     "or '50 GB/s', not below zero"},
    {"400 Gbps", "0 Gbps", "t.yaml:16:8: node.nic: must be above zero"},
    {"pcie: 64 GB/s", "pcie: 0 GB/s", "t.yaml:17:9: node.pcie: must be above zero"},
    {"kind: fat-tree", "kind: fat_tree",
     "t.yaml:19:9: fabric.kind: 'fat_tree' is not known here; did you mean 'fat-tree'?"},
    {"kind: fat-tree", "kind: hypercube",
     "t.yaml:19:9: fabric.kind: 'hypercube' is not known here; known: fat-tree, "
     "multi-plane, dragonfly, dragonfly-plus, torus, explicit, none"},
    {"levels: 2", "levels: 4",
     "t.yaml:20:11: fabric.levels: '4': expected a whole number from 1 to 3"},
    {"link_latency: 150 ns", "link_latency: 150",
     "t.yaml:23:17: fabric.link_latency: '150': expected a duration with its unit, such as '3.7 "
     "us' or '1.5 ms'"},
};

constexpr Case kTogether[] = {
    {"nics: 8", "nics: 3",
     "t.yaml:15:9: node.nics: 3 NICs cannot be shared evenly by 8 GPUs; expected 1, 2, 4 or 8"},
    {"nics: 8", "nics: 16",
     "t.yaml:15:9: node.nics: 16 NICs for 8 GPUs: give several NICs of one GPU as one with their "
     "summed rate"},
    {"nics: 8", "nics: 0", "t.yaml:15:9: node.nics: 0: a fabric joins NICs; expected at least 1"},
    {"nodes: 4", "nodes: 200000",
     "t.yaml:2:8: nodes: 200000 nodes of 8 GPUs are 1600000 GPUs; at most 1048576 are supported"},
    {"nodes: 4", "nodes: 257",
     "t.yaml:21:17: fabric.switch_ports: 64 ports on 2 levels join at most 64 leaf switches of 32 "
     "NICs; this cluster needs 65"},
    {"levels: 2", "levels: 1", "no error"},
    {"oversubscription: 1", "oversubscription: 1.001",
     "t.yaml:22:21: fabric.oversubscription: 1.001 cannot be had with 64 ports: no whole numbers "
     "of ports down and up have that ratio"},
    {"oversubscription: 1", "oversubscription: 0.5",
     "t.yaml:22:21: fabric.oversubscription: '0.5': expected a number from 1 to 4096"},
    {"levels: 2", "levels: 2\n  planes: 2",
     "t.yaml:21:11: fabric.planes: is for kind multi-plane only"},
    {"kind: fat-tree", "kind: multi-plane", "t.yaml:19:3: fabric.planes: is missing"},
    {"kind: fat-tree", "kind: multi-plane\n  planes: 3",
     "t.yaml:20:11: fabric.planes: 3 planes do not divide the 8 NICs of a node"},
    {"kind: fat-tree", "kind: multi-plane\n  planes: 8\n  rail_optimized: true",
     "t.yaml:21:19: fabric.rail_optimized: is for kind fat-tree only"},
};

TEST(Load, TheGoodFileIsGood) { EXPECT_EQ(ErrorOf(kGood), "no error"); }

TEST(Load, BadFields) {
  for (const Case& c : kFields) EXPECT_EQ(ErrorOf(With(c.from, c.to)), c.error) << c.to;
}

TEST(Load, BadTogether) {
  for (const Case& c : kTogether) EXPECT_EQ(ErrorOf(With(c.from, c.to)), c.error) << c.to;
}

TEST(Load, OneLevel) {
  const std::string lone = With("levels: 2", "levels: 1");
  EXPECT_EQ(ErrorOf(With("nodes: 4", "nodes: 9", lone)),
            "t.yaml:21:17: fabric.switch_ports: 64 ports on 1 level join at most 1 leaf switch of "
            "64 NICs; this cluster needs 2");
  EXPECT_EQ(ErrorOf(With("oversubscription: 1", "oversubscription: 2", lone)),
            "t.yaml:22:21: fabric.oversubscription: only 1 makes sense with one level: a lone "
            "switch has no ports up");
  EXPECT_EQ(ErrorOf(With("levels: 1", "levels: 1\n  rail_optimized: true", lone)),
            "t.yaml:20:11: fabric.levels: 1: rails are joined above their leaves; expected 2 or 3 "
            "levels");
}

TEST(Load, NoFabricIsForOneNode) {
  std::string alone = kGood;
  alone = alone.substr(0, alone.find("fabric:")) + "fabric: {kind: none}\n";
  EXPECT_EQ(ErrorOf(alone), "t.yaml:18:16: fabric.kind: none: 4 nodes need a fabric to join them");
  alone = With("nodes: 4", "nodes: 1", alone);
  EXPECT_EQ(ErrorOf(alone), "no error");
  alone = With("  nics: 8\n  nic: 400 Gbps\n", "", alone);
  EXPECT_EQ(ErrorOf(alone), "no error");
  const Cluster cluster = ParseCluster(ParseDocument(alone, "t.yaml").value()).value();
  EXPECT_EQ(RouteBetween(cluster, 0, 7).hops(), 2);
}

TEST(Load, ASetValueIsCheckedToo) {
  Document document = LoadClusterDocument("h800_2048_fat_tree").value();
  ASSERT_TRUE(SetValue(document, "nodes", "512"));
  EXPECT_EQ(ParseCluster(document).error().ToString(),
            "shipped h800_2048_fat_tree.yaml:42:17: fabric.switch_ports: 64 ports on 2 levels join "
            "at most 64 leaf switches of 32 NICs; this cluster needs 128");
  ASSERT_TRUE(SetValue(document, "fabric.levels", "3"));
  EXPECT_TRUE(ParseCluster(document));
}

TEST(Check, ClustersMadeInCode) {
  EXPECT_TRUE(CheckCluster(MakeCluster(256)));
  EXPECT_TRUE(CheckCluster(MakeMultiPlane(2048, 8)));
  EXPECT_EQ(CheckCluster(Cluster()).error().ToString(), "node.gpus: 0: expected from 1 to 1024");
  Cluster cluster = MakeCluster(1'000'000'000);
  EXPECT_EQ(CheckCluster(cluster).error().ToString(),
            "nodes: 1000000000: expected from 1 to 1000000");
  cluster = MakeCluster(4);
  cluster.fabric.switch_ports = 1;
  EXPECT_EQ(CheckCluster(cluster).error().ToString(),
            "fabric.switch_ports: 1: expected from 2 to 4096");
}

}  // namespace
}  // namespace pipescope::topology
