// Fidelity op says when it is out of its depth, and by how much: every kind of what-if and fault,
// each worse than without; and is silent where it is not.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/run.h"

namespace pipescope::cli {
namespace {

// Four nodes on a two-level tree of 16-port switches: a leaf a node, eight spines.
constexpr const char* kTopology = R"(name: four-nodes
nodes: 4
gpu: {name: G, sms: 132, bf16: 989.4 TFLOPS, fp8: 1978.9 TFLOPS, fp32: 66.9 TFLOPS,
      memory: 80 GiB, memory_bandwidth: 3.35 TB/s}
node: {gpus: 8, nvlink: 160 GB/s, nvlink_latency: 3.33 us, nics: 8, nic: 400 Gbps, pcie: 64 GB/s}
)";
constexpr const char* kTree = R"(fabric:
  {kind: fat-tree, levels: 2, switch_ports: 16, link_latency: 150 ns, switch_latency: 300 ns,
   nic_latency: 1.1 us}
)";
// One global cable between every two groups; a node is a group.
constexpr const char* kDragonfly = R"(fabric:
  {kind: dragonfly, groups: 4, group_switches: 1, switch_nics: 8, global_cables: 3,
   switch_ports: 16, link_latency: 150 ns, switch_latency: 300 ns, nic_latency: 1.1 us}
)";
constexpr const char* kTorus = R"(fabric:
  {kind: torus, dimensions: [4], switch_nics: 8, link_latency: 150 ns, switch_latency: 300 ns,
   nic_latency: 1.1 us}
)";
constexpr const char* kExperiment = R"(name: small
model: deepseek_v2_lite
topology: ./topology.yaml
schedule: 1f1b
parallel: {pipeline: 2, data: 16, expert: 16}
training: {sequence_length: 4096, micro_batch_size: 1, global_batch: 128, precision: bf16}
)";

class DepthWarning : public CliTest {
 protected:
  Ran Simulate(const std::string& fabric, const std::string& set,
               const std::string& fidelity = "op") {
    Write("topology.yaml", kTopology + fabric);
    std::vector<std::string> words = {
        "simulate", Write("small.yaml", kExperiment), "--fidelity", fidelity, "--format", "json"};
    if (!set.empty()) words.insert(words.end(), {"--set", set});
    const Ran ran = Run(words);
    EXPECT_EQ(ran.exit, 0) << ran.err;
    return ran;
  }
  static double StepOf(const Ran& ran) {
    return nlohmann::json::parse(ran.out)["step_time_s"].get<double>();
  }
  // It names `what`, the time that flow gives, and the difference between the two. Returns that.
  double ExpectWarning(const std::string& fabric, const std::string& set, const std::string& what) {
    const Ran op = Simulate(fabric, set);
    EXPECT_THAT(op.err, testing::HasSubstr("fidelity op does not see " + what + ";"));
    const Ran flow = Simulate(fabric, set, "flow");
    EXPECT_EQ(flow.err, "");
    const double off = (StepOf(flow) / StepOf(op) - 1) * 100;
    char told[32];
    std::snprintf(told, sizeof told, ", %+.1f %%\n", off);
    EXPECT_THAT(op.err, testing::EndsWith(told)) << what;
    return off;
  }
};

TEST_F(DepthWarning, EachKindIsNamedWithItsSize) {
  const std::string tree = kTree;
  const double healthy =
      (StepOf(Simulate(tree, "", "flow")) / StepOf(Simulate(tree, "")) - 1) * 100;
  EXPECT_NEAR(healthy, 0, 1);
  const struct {
    std::string fabric, set, what;
    double least;  // how much longer than op says, at least, percent
  } kinds[] = {
      {tree, "what_if.slow_gpus=[\"5 x 1.5\"]", "slow GPUs", 10},
      {tree, "what_if.expert_skew=0.5", "skewed experts", 10},
      {tree + "faults: {slow_nics: [\"1.3 at 100 Gbps\"]}\n", "", "slow NICs", 10},
      {tree + "faults: {dead_nics: [\"1.3\"]}\n", "", "dead NICs", 5},
      {tree + "faults: {dead_links: [\"leaf 0 -- spine 4\"]}\n", "", "dead and slow links", 0.1},
      {tree + "faults: {slow_links: [\"leaf 0 -- spine 4 at 20 %\"]}\n", "", "dead and slow links",
       5},
      {tree, "communication.paths=hash", "collisions of hashed paths", 0.5},
      {kDragonfly, "", "the fabric's single links", 50},
      {kTorus, "", "the fabric's single links", 20},
  };
  for (const auto& kind : kinds) {
    SCOPED_TRACE(kind.what + kind.set);
    EXPECT_GT(ExpectWarning(kind.fabric, kind.set, kind.what), healthy + kind.least);
  }
}

TEST_F(DepthWarning, SeveralAreNamedTogether) {
  ExpectWarning(kTree + std::string("faults: {dead_nics: [\"1.3\"]}\n"),
                "what_if.slow_gpus=[\"5 x 1.5\"]", "slow GPUs, dead NICs");
}

// Gradients, pipeline messages and dispatches that meet on NICs are seen: no warning, and no need
// of one.
TEST_F(DepthWarning, CrossTrafficIsSeen) {
  for (const char* set : {"communication.overlap_gradients=true",
                          "communication.overlap_gradients=false", "schedule=dualpipev"}) {
    const Ran op = Simulate(kTree, set);
    EXPECT_EQ(op.err, "") << set;
    EXPECT_NEAR(StepOf(Simulate(kTree, set, "flow")) / StepOf(op), 1, 0.02) << set;
  }
}

}  // namespace
}  // namespace pipescope::cli
