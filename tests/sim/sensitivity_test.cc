// What a tenth more of each resource buys, where the answer is known beforehand.
#include "sim/sensitivity.h"

#include <cmath>
#include <map>

#include "sim/cost_shares.h"
#include "sim/engine/engine.h"
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

// What was measured changes by the model's ratio: a phase's time on the changed machine is its
// measured one times what the model says of the change, so that gains are about those of the model.
TEST(Sensitivity, MeasuredCostsChangeAsTheModelDoes) {
  const char* file = "experiments/deepseek_v3_h800.yaml";
  const Experiment model = Must(LoadExperiment(file));
  const Experiment measured =
      Must(LoadExperiment(file, {"costs.profile=./deepseek_v3_h800_profile.json"}));
  const auto of_model = Gains(model, "dualpipe"), of_measured = Gains(measured, "dualpipe");
  EXPECT_EQ(of_model.size(), of_measured.size());
  for (const char* resource : {"GEMM efficiency", "HBM bandwidth", "attention efficiency"}) {
    EXPECT_GT(of_measured.at(resource), 0.01) << resource;
    EXPECT_NEAR(of_measured.at(resource), of_model.at(resource), 0.005) << resource;
  }
}

// The interval: each subject's costs longer by their spread, by hand; independent ones in squares.
TEST(Interval, IsWhatLongerCostsOfEachSubjectMakeOfTheStep) {
  const Experiment e = MakeExperiment({});
  const StepResult with =
      Must(Simulate(e, "dualpipe", Fidelity::kOp, EngineKind::kNative, Interval::kYes));
  EXPECT_GT(with.costs.spread, Duration());
  EXPECT_LT(with.costs.spread / with.step_time, 0.3);
  EXPECT_EQ(Must(Simulate(e, "dualpipe")).costs.spread, Duration());
  // Rates of the longer tasks are left as they were here, which moves shared time by a hair.
  TaskGraph g = LowerSchedule(e, "1f1b");
  const std::vector<TaskTemplate> before = g.templates;
  double squares = 0;
  for (int subject = 0; subject < costs::kSubjects; ++subject) {
    for (TaskTemplate& templ : g.templates) {
      for (const costs::PricePart& part : templ.parts) {
        if (part.subject == static_cast<costs::Subject>(subject)) templ.demand.time += part.spread;
      }
    }
    const auto end = [&] {
      const TaskTimes times = RunFluid(g);
      return *std::max_element(times.end.begin(), times.end.end());
    };
    const Duration longer = end();
    g.templates = before;
    squares += std::pow((longer - end()).seconds(), 2);
  }
  EXPECT_NEAR(SpreadOfStep(g).seconds(), std::sqrt(squares), 0.01 * std::sqrt(squares));
}

}  // namespace
}  // namespace pipescope
