// What a tenth more of each resource buys, where the answer is known beforehand.
#include "sim/sensitivity.h"

#include <map>

#include "tests/sim/testing.h"

namespace pipescope {
namespace {

std::map<std::string, double> Gains(const Experiment& e, const std::string& schedule,
                                    Fidelity fidelity = Fidelity::kOp) {
  const StepResult base = Must(Simulate(e, schedule, fidelity));
  std::map<std::string, double> gains;
  Duration last;
  for (const Sensitivity& s : Must(SensitivitiesOf(e, schedule, fidelity))) {
    EXPECT_GE(s.step_time, last) << "largest gain first";
    last = s.step_time;
    EXPECT_FALSE(s.change.empty());
    gains[s.resource] = 1 - s.step_time / base.step_time;
  }
  return gains;
}

// A tenth more of one thing cannot shorten the step to less than 1 / 1.1 of it.
TEST(Sensitivity, NothingGainsMoreThanItsTenth) {
  for (const char* schedule : {"1f1b", "zb-h1", "dualpipe"}) {
    for (const auto& [resource, gain] : Gains(MakeExperiment({}), schedule)) {
      EXPECT_LE(gain, 1 - 1 / 1.1 + 1e-9) << resource;
      if (resource == "SMs for communication") continue;  // they are taken from computation
      EXPECT_GE(gain, -1e-6) << resource;
    }
  }
}

// Memory is no time; under 1F1B nothing hides the network, so that it counts.
TEST(Sensitivity, WhatCountsAndWhatDoesNot) {
  const auto gains = Gains(MakeExperiment({}), "1f1b");
  EXPECT_EQ(gains.at("GPU memory"), 0);
  EXPECT_GT(gains.at("network between nodes"), 0.001);
  EXPECT_GT(gains.at("shorter waits for the slowest rank"), 0);
}

// Each gain is that of the change alone, by hand.
TEST(Sensitivity, IsTheStepWithThatChange) {
  Experiment e = MakeExperiment({});
  const double before = Must(Simulate(e, "dualpipe")).step_time.seconds();
  const auto gains = Gains(e, "dualpipe");
  e.cluster.gpu.memory_bandwidth = Bandwidth(e.cluster.gpu.memory_bandwidth.value() * 1.1);
  const double after = Must(Simulate(e, "dualpipe")).step_time.seconds();
  EXPECT_NEAR(gains.at("HBM bandwidth"), 1 - after / before, 1e-12);
}

TEST(Sensitivity, LeavesOutWhatIsNotThere) {
  Experiment e = MakeExperiment({});
  e.parallel.expert = 1;
  const auto gains = Gains(e, "1f1b");
  EXPECT_EQ(gains.count("SMs for communication"), 0u);
  EXPECT_EQ(gains.count("shorter waits for the slowest rank"), 0u);
  EXPECT_EQ(gains.count("GEMM efficiency"), 1u);
}

}  // namespace
}  // namespace pipescope
