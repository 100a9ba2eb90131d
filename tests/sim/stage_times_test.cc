// Times of whole stages as costs, and the plans that the runs they were measured on need.
#include "sim/experiment/stage_times.h"

#include <algorithm>

#include "sim/action_times.h"
#include "sim/costs/routing.h"
#include "sim/make_schedule.h"
#include "sim/simulate.h"
#include "sim/stages.h"
#include "tests/sim/testing.h"

namespace pipescope {
namespace {

using schedules::ActionKind;

constexpr const char* kRun = "experiments/published/zero_bubble_6_2b.yaml";

Experiment Load(const std::vector<std::string>& overrides = {}) {
  return Must(LoadExperiment(kRun, overrides));
}

Duration SumOverStages(const Experiment& e, ActionKind kind, int stages) {
  const Stages cut = Must(ChooseLayout(e, stages));
  const costs::Spread spread = Must(costs::SpreadOf(e.model, 1, e.cluster.node.gpus));
  Duration sum;
  for (int s = 0; s < stages; ++s) {
    sum += TimeAlone(e, cut.layout, spread, {kind, StageId(s), MicrobatchId(0)});
  }
  return sum;
}

// However the model is cut, its stages take what was measured: 8 x 29.802 ms and so on.
TEST(StageTimes, AddUpToWhatWasMeasured) {
  const Experiment e = Load();
  for (const int stages : {8, 32}) {
    const auto sum = [&](ActionKind kind) { return SumOverStages(e, kind, stages).seconds(); };
    EXPECT_NEAR(sum(ActionKind::kForward), 8 * 29.802e-3, 1e-7);
    EXPECT_NEAR(sum(ActionKind::kInputGrad), 8 * 29.428e-3, 1e-7);
    EXPECT_NEAR(sum(ActionKind::kWeightGrad), 8 * 19.530e-3, 1e-7);
  }
}

// What was measured stays measured for one machine; a better GPU is better by the model's ratio.
TEST(StageTimes, FollowTheModelWhereTheMachineChanges) {
  Experiment e = Load({"schedule=1f1b"});
  const Duration before = Must(Simulate(e, "1f1b")).step_time;
  e.efficiencies.gemm_main_loop *= 1.1;
  const Duration after = Must(Simulate(e, "1f1b")).step_time;
  EXPECT_LT(after, before);
  EXPECT_GT(after / before, 0.9);
}

TEST(StageTimes, HopsTakeWhatWasMeasuredByWhereTheyGo) {
  const Experiment e = Must(LoadExperiment("experiments/published/zero_bubble_14_6b.yaml"));
  const StepResult r = Must(Simulate(e, "1f1b"));
  for (const timeline::Message& m : r.timeline.messages) {
    const timeline::Operation& op = r.timeline.operations[static_cast<size_t>(m.operation)];
    const bool between = std::min(m.from, m.to) == 7 && std::max(m.from, m.to) == 8;
    ASSERT_EQ(op.end - op.start, between ? Microseconds(2429) : Microseconds(232));
  }
}

TEST(StageTimes, AreRefusedWhereTheyCannotBeMeant) {
  for (const auto& [override, what] : {std::pair{"training.recompute=full", "computed again"},
                                       std::pair{"parallel.tensor=2", "parallelism send"},
                                       std::pair{"training.micro_batch_size=2", "before training"},
                                       std::pair{"costs.stages.forward=0 ms", "above zero"},
                                       std::pair{"costs.stages.count=0", "costs.stages.count"}}) {
    const auto loaded = LoadExperiment(kRun, {override});
    ASSERT_FALSE(loaded.has_value()) << override;
    EXPECT_THAT(loaded.error().ToString(), testing::HasSubstr(what));
  }
}

// Interleaving: the plan's chunks, where the schedule leaves the choice.
TEST(Chunks, OfThePlanAreTheSchedules) {
  const Experiment e = Load({"schedule=interleaved-1f1b", "parallel.chunks=4"});
  EXPECT_EQ(Must(MakeSchedule(e, "interleaved-1f1b")).schedule.stages, 32);
  EXPECT_EQ(Must(MakeSchedule(e, "1f1b")).schedule.stages, 8) << "compared with";
  const Experiment fixed = Load({"schedule=1f1b", "parallel.chunks=4"});
  const auto made = MakeSchedule(fixed, "1f1b");
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().field, "parallel.chunks");
}

// An automatic schedule holds no more than it may, and is the shorter the more it may hold.
TEST(HeldMicrobatches, BoundAnAutomaticSchedule) {
  Duration last = Duration::Max();
  for (const int held : {4, 8, 16}) {
    const Experiment e = Load({"memory.microbatches=" + std::to_string(held)});
    const StepResult r = Must(Simulate(e, "zb-auto"));
    Bytes most, one;
    for (size_t i = 0; i < r.memory.size(); ++i) {
      most = std::max(most, r.memory[i].activations_peak);
    }
    const StepResult single = Must(Simulate(Load({"training.global_batch=3"}), "1f1b"));
    for (const RankMemory& rank : single.memory) one = std::max(one, rank.activations_peak);
    EXPECT_LE(most.value(), held * one.value());
    EXPECT_LE(r.step_time, last);
    last = r.step_time;
  }
}

// Where ranks do not wait for each other between steps, the step is the longest rank's own: no
// longer than with a barrier, no shorter than any rank's work; and what the optimizer does in a
// rank's wait is no exposed communication.
TEST(Span, LiesBetweenWorkAndStep) {
  for (const char* schedule : {"1f1b", "zb-auto", "zb-h2", "gpipe"}) {
    const StepResult r = Must(Simulate(Load({"memory.microbatches=16"}), schedule));
    EXPECT_LE(r.span, r.step_time) << schedule;
    for (size_t i = 0; i < r.breakdown.size(); ++i) {
      const timeline::Breakdown& b = r.breakdown[i];
      EXPECT_GE(b.exposed_communication, Duration()) << schedule;
      EXPECT_EQ(b.total(), r.step_time) << schedule;
      EXPECT_GE(r.span, b.forward + b.backward_input + b.backward_weight) << schedule;
    }
  }
}

}  // namespace
}  // namespace pipescope
