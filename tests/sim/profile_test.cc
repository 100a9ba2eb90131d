// Costs and memory taken from an experiment are those that the simulator itself goes by.
#include "sim/profile.h"

#include <algorithm>

#include "sim/memory_use.h"
#include "sim/simulate.h"
#include "sim/stages.h"
#include "tests/sim/testing.h"

namespace pipescope {
namespace {

using schedules::ActionKind;
using schedules::Placement;

double CostOf(const schedules::Costs& costs, const schedules::Action& action) {
  return costs.Of(action) / 1e3;
}

// In a step an action waits for inputs and shares links, so it takes at least its time alone; some
// micro-batch of every stage finds all it needs and takes just that.
TEST(Profile, ActionsAloneAreTheShortestInAStep) {
  for (const auto& [name, placement] :
       {std::pair{"zb-h1", Placement::kLinear}, std::pair{"dualpipe", Placement::kBidirectional},
        std::pair{"zbv", Placement::kV}}) {
    const Experiment e = MakeExperiment({});
    const auto profile = Must(ProfileOf(e, placement));
    const StepResult step = Must(Simulate(e, name));
    int equal = 0;
    for (const timeline::ActionSpan& span : step.timeline.actions) {
      if (span.action.kind == ActionKind::kOverlapped) continue;
      const double alone = CostOf(profile.costs, span.action);
      const double took = (span.end - span.start).seconds();
      ASSERT_GE(took, alone * (1 - 1e-9)) << name;
      equal += took <= alone * (1 + 1e-6);
    }
    EXPECT_GT(equal, 10) << name;
  }
}

// The limit is what CheckMemory leaves: an order of as many GiB as the limit fills the GPU.
TEST(Profile, LimitsAndDeltasAddUpToTheRanksMemory) {
  const Experiment e = MakeExperiment({});
  const auto profile = Must(ProfileOf(e, Placement::kLinear));
  const StepResult step = Must(Simulate(e, "gpipe"));
  for (size_t r = 0; r < step.memory.size(); ++r) {
    const RankMemory& memory = step.memory[r];
    const auto gib = [](Bytes bytes) { return static_cast<double>(bytes.value()) / (1 << 30); };
    EXPECT_NEAR(gib(memory.limit) - gib(memory.total_peak - memory.activations_peak),
                profile.limit[r], 1e-9);
    EXPECT_NEAR(gib(memory.activations_peak),
                static_cast<double>(e.microbatches()) * profile.memory[r].forward, 1e-6);
  }
}

// Made for this experiment: within its memory where the hand-made order is not, and said so.
TEST(Profile, AutomaticSchedulesFitWhereHandMadeOnesDoNot) {
  for (const auto& [automatic, known] :
       {std::pair{"zb-auto", "zb-h2"}, std::pair{"zbv-auto", "zbv"}}) {
    Experiment e = MakeExperiment({});
    e.enforce_memory = false;
    const StepResult before = Must(Simulate(e, known));
    Bytes peak;
    for (const RankMemory& memory : before.memory) peak = std::max(peak, memory.total_peak);
    const Bytes activations = before.memory.front().activations_peak;
    e.cluster.gpu.memory = peak - Bytes(activations.value() / 4);
    EXPECT_FALSE(Must(Simulate(e, known)).fits);
    e.enforce_memory = true;
    const StepResult step = Must(Simulate(e, automatic));
    EXPECT_TRUE(step.fits);
    EXPECT_EQ(step.schedule, automatic);
    const auto said = std::find_if(
        step.assumptions.begin(), step.assumptions.end(),
        [](const costs::Assumption& a) { return a.name == "the schedule is made for"; });
    ASSERT_NE(said, step.assumptions.end());
    EXPECT_THAT(said->value, testing::HasSubstr("GiB of activations"));
    EXPECT_EQ(Must(Simulate(e, automatic)).step_time, step.step_time);
  }
}

TEST(Profile, SaysWhereTooLittleMemoryIsLeft) {
  Experiment e = MakeExperiment({});
  e.cluster.gpu.memory = e.reserved;
  for (const auto& [automatic, chunks] : {std::pair{"zb-auto", 1}, std::pair{"zbv-auto", 2}}) {
    e.enforce_memory = true;
    const auto refused = Simulate(e, automatic);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, testing::HasSubstr("no memory left for activations"));
    // Where that is no error, what is made needs no more than any order must.
    e.enforce_memory = false;
    const StepResult step = Must(Simulate(e, automatic));
    EXPECT_FALSE(step.fits);
    const StepResult known = Must(Simulate(e, chunks == 1 ? "1f1b" : "v-min"));
    const auto activations = StageActivationsOf(e, Must(ChooseLayout(e, 4 * chunks)).layout);
    for (size_t r = 0; r < step.memory.size(); ++r) {
      Bytes one = activations[r].until_backward;
      if (chunks == 2) one += activations[activations.size() - 1 - r].until_backward;
      EXPECT_EQ(step.memory[r].activations_peak, one) << automatic << " rank " << r;
      EXPECT_LE(step.memory[r].activations_peak, known.memory[r].activations_peak);
    }
  }
}

TEST(Profile, SaysWhereOneMicroBatchDoesNotFit) {
  Experiment e = MakeExperiment({});
  e.enforce_memory = false;
  const StepResult step = Must(Simulate(e, "1f1b"));
  const RankMemory& rank = step.memory.front();
  e.enforce_memory = true;
  e.cluster.gpu.memory = rank.total_peak - rank.activations_peak + Bytes(1 << 20);
  const auto refused = Simulate(e, "zb-auto");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              testing::AllOf(testing::HasSubstr("schedule zb-auto: rank 0 has 0.00 GiB left"),
                             testing::HasSubstr("one micro-batch takes")));
}

}  // namespace
}  // namespace pipescope
