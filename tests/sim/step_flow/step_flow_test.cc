// A step on every GPU with every flow, against the folded one where nothing tells GPUs apart, and
// against what is known where something does.
#include <algorithm>

#include "sim/engine/engine.h"
#include "sim/step_flow/executor.h"
#include "tests/sim/step_flow/testing.h"

namespace pipescope {
namespace {

double StepOf(const Experiment& e, const std::string& schedule) {
  const StepTimes times = RunStep(e, LowerSchedule(e, schedule));
  return std::max_element(times.replica_ends.begin(), times.replica_ends.end())->seconds();
}

// The two part in details: here a message's latency is that of its own way, and a message and a
// dispatch that meet on a NIC share it by flows, of which the dispatch has several.
TEST(StepFlow, ABalancedStepIsCloseToTheFoldedOne) {
  for (const char* schedule : {"gpipe", "1f1b", "zb1p", "dualpipe", "dualpipev"}) {
    SCOPED_TRACE(schedule);
    const Experiment e = MakeExperiment({});
    const TaskGraph graph = LowerSchedule(e, schedule);
    const TaskTimes folded = RunFluid(graph);
    const StepTimes all = RunStep(e, graph);
    const double end = std::max_element(folded.end.begin(), folded.end.end())->seconds();
    EXPECT_NEAR(all.replica_ends[0].seconds() / end, 1, 1e-2);
    for (const Duration other : all.replica_ends) EXPECT_EQ(other, all.replica_ends[0]);
    for (size_t t = 0; t < folded.end.size(); ++t) {
      ASSERT_NEAR(all.times.end[t].seconds(), folded.end[t].seconds(), 1e-2 * end) << t;
    }
    EXPECT_GT(all.flows, 1000);
  }
}

TEST(StepFlow, SimGridAgrees) {
  Small small;
  small.ranks = 2;
  small.microbatches = 4;
  EXPECT_TRUE(ExpectSimGridAgrees(MakeExperiment(small)));
}

// Where nothing is shared both are the same but for the rounding of single flows.
TEST(StepFlow, WithoutMessagesBesideOtherTrafficItIsTheFoldedOne) {
  Small small;
  small.ranks = 1;
  const Experiment e = MakeExperiment(small);
  const TaskGraph graph = LowerSchedule(e, "gpipe");
  const TaskTimes folded = RunFluid(graph);
  const StepTimes all = RunStep(e, graph);
  for (size_t t = 0; t < folded.end.size(); ++t) {
    ASSERT_NEAR(all.times.end[t].seconds(), folded.end[t].seconds(),
                1e-6 * folded.end.back().seconds())
        << t;
  }
}

TEST(StepFlow, EveryTaskStartsAfterAllItWaitsFor) {
  Experiment e = MakeExperiment({});
  e.what_if.slow_gpus = {{3, 1.5}, {20, 1.1}};
  e.what_if.expert_skew = 0.5;
  e.cluster.faults.slow_nics = {{{1, 2}, GigabytesPerSecond(10)}};
  const TaskGraph graph = LowerSchedule(e, "dualpipe");
  const StepTimes all = RunStep(e, graph);
  for (const auto& [before, after] : graph.edges) {
    ASSERT_GE(all.times.start[static_cast<size_t>(after)],
              all.times.end[static_cast<size_t>(before)]);
  }
}

// One GPU of twice the time: its expert group waits for it at every dispatch, its pipeline at every
// message. The step is no longer than if all GPUs were as slow, and longer than if none were.
TEST(StepFlow, ASlowGpuHoldsUpItsStep) {
  for (const char* schedule : {"1f1b", "dualpipe"}) {
    Experiment e = MakeExperiment({});
    const double before = StepOf(e, schedule);
    e.what_if.slow_gpus = {{5, 2.0}};
    const double one = StepOf(e, schedule);
    e.what_if.slow_gpus.clear();
    for (int gpu = 0; gpu < e.gpus(); ++gpu) e.what_if.slow_gpus.emplace_back(gpu, 2.0);
    const double all = StepOf(e, schedule);
    EXPECT_GT(one, before * 1.05) << schedule;
    EXPECT_LE(one, all * (1 + 1e-9)) << schedule;
  }
}

// A replica of its own pipeline and expert group is not held up before gradients meet.
TEST(StepFlow, OtherExpertGroupsGoOnUntilTheGradients) {
  Small small;
  small.data = 32;  // two expert groups of 16
  Experiment e = MakeExperiment(small);
  e.what_if.slow_gpus = {{0, 2.0}};
  const TaskGraph graph = LowerSchedule(e, "1f1b");
  const StepTimes slow = RunStep(e, graph);
  EXPECT_LT(slow.replica, 16);
}

TEST(StepFlow, SkewedExpertsCostTime) {
  Experiment e = MakeExperiment({});
  double last = StepOf(e, "1f1b");
  for (const double skew : {0.2, 0.5, 1.0}) {
    e.what_if.expert_skew = skew;
    const double now = StepOf(e, "1f1b");
    EXPECT_GT(now, last) << skew;
    last = now;
  }
}

TEST(StepFlow, SlowAndDeadNicsCostTime) {
  Experiment e = MakeExperiment({});
  const double before = StepOf(e, "1f1b");
  e.cluster.faults.slow_nics = {{{0, 3}, GigabytesPerSecond(25)}};
  const double slow = StepOf(e, "1f1b");
  EXPECT_GT(slow, before * 1.001);
  e.cluster.faults.slow_nics = {{{0, 3}, GigabytesPerSecond(5)}};
  EXPECT_GT(StepOf(e, "1f1b"), slow);
  // A neighbour's NIC carries both GPUs' traffic: as if each had half of it.
  e.cluster.faults.slow_nics.clear();
  e.cluster.faults.dead_nics = {{0, 3}};
  const double dead = StepOf(e, "1f1b");
  EXPECT_GT(dead, before * 1.001);
  EXPECT_LT(dead, slow * 1.1);
}

// On a fabric whose leaves have fewer cables up than down, spreading is never worse than static
// ways, and hashing collides. One expert group a rank, two nodes a leaf.
TEST(StepFlow, SpreadWaysBeatHashedOnes) {
  Experiment e = MakeExperiment({});
  e.cluster.fabric.switch_ports = 32;
  e.communication.paths = Paths::kSpread;
  const double spread = StepOf(e, "1f1b");
  e.communication.paths = Paths::kDestination;
  EXPECT_LE(spread, StepOf(e, "1f1b") * (1 + 1e-6));
  e.communication.paths = Paths::kHash;
  for (const int seed : {0, 1, 2}) {
    e.communication.paths_seed = seed;
    EXPECT_GT(StepOf(e, "1f1b"), spread * 1.001) << seed;
  }
}

// On the same fabric, flows that look where they go collide less than those that do not: a step is
// never longer than with the worst hash, and where every flow has a way of its own it is as if each
// were spread.
TEST(StepFlow, LeastLoadedWaysCollideLessThanHashedOnes) {
  Experiment e = MakeExperiment({});
  e.cluster.fabric.switch_ports = 32;
  e.communication.paths = Paths::kSpread;
  const double spread = StepOf(e, "1f1b");
  e.communication.paths = Paths::kLeastLoaded;
  const double adaptive = StepOf(e, "1f1b");
  EXPECT_EQ(adaptive, StepOf(e, "1f1b"));
  EXPECT_GE(adaptive, spread * (1 - 1e-6));
  e.communication.paths = Paths::kHash;
  for (const int seed : {0, 1, 2}) {
    e.communication.paths_seed = seed;
    EXPECT_LT(adaptive, StepOf(e, "1f1b")) << seed;
  }
}

// Expert groups of two nodes, each node a group of a dragonfly: a dispatch sends all that leaves a
// node over the one cable between the two. Longer ways relieve it; ways chosen by load are as good
// at least.
Experiment OnADragonfly() {
  Experiment e = MakeExperiment({});
  topology::Fabric& fabric = e.cluster.fabric;
  fabric.kind = topology::FabricKind::kDragonfly;
  fabric.switch_ports = 16;
  fabric.groups = e.cluster.nodes;
  fabric.group_switches = 4;
  fabric.switch_nics = 2;
  fabric.global_cables = 2;
  return e;
}

TEST(StepFlow, LongerWaysRelieveADragonflysCables) {
  Experiment e = OnADragonfly();
  const double shortest = StepOf(e, "1f1b");
  e.communication.paths = Paths::kAdaptive;
  const double adaptive = StepOf(e, "1f1b");
  EXPECT_LT(adaptive, shortest * 0.9);
  e.communication.paths = Paths::kValiant;
  EXPECT_LT(StepOf(e, "1f1b"), shortest);
  EXPECT_LE(adaptive, StepOf(e, "1f1b"));
}

TEST(StepFlow, SimGridTakesTheSameLeastLoadedWays) {
  Small small;
  small.ranks = 2;
  small.microbatches = 4;
  Experiment e = MakeExperiment(small);
  e.communication.paths = Paths::kLeastLoaded;
  EXPECT_TRUE(ExpectSimGridAgrees(e));
}

TEST(ExpertLoads, MeanIsOneAndTheBusiestIsAsSaid) {
  const auto loads = ExpertLoads(1, 2, 7);
  EXPECT_NEAR(std::max(loads[0], loads[1]), 4.0 / 3, 1e-12);
  EXPECT_NEAR(loads[0] + loads[1], 2, 1e-12);
  const auto many = ExpertLoads(0.3, 64, 0);
  EXPECT_NE(many, ExpertLoads(0.3, 64, 1));
  EXPECT_EQ(many, ExpertLoads(0.3, 64, 0));
  for (const double load : ExpertLoads(0, 8, 0)) EXPECT_EQ(load, 1);
}

}  // namespace
}  // namespace pipescope
