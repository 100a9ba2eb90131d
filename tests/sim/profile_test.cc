// Costs and memory taken from an experiment are those that the simulator itself goes by.
#include "sim/profile.h"

#include <algorithm>

#include "sim/simulate.h"
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

TEST(Profile, SaysWhereNoMemoryIsLeft) {
  Experiment e = MakeExperiment({});
  e.cluster.gpu.memory = e.reserved;
  const auto profile = ProfileOf(e, Placement::kV);
  ASSERT_FALSE(profile);
  EXPECT_THAT(profile.error().message, testing::HasSubstr("no memory left for activations"));
  EXPECT_FALSE(Simulate(e, "zbv-auto"));
}

}  // namespace
}  // namespace pipescope
