// What a calibration measures: of ranks whose dispatch and combine have threads of their own, too.
#include "kernels/transformer/calibrate.h"

#include <gtest/gtest.h>

#include "kernels/executor/threads.h"
#include "schedules/registry.h"

namespace pipescope::transformer {
namespace {

// Before a step the executor does some work; it cannot do less than none. A lane's thread starts
// its clock anew with each play, which once was taken for time given back.
TEST(Calibration, OfRanksThatShareExpertsHasNoTimesBelowZero) {
  auto model = FindModel("micro").value();
  model.expert_groups = 2;
  model.layers = 4;
  const auto schedule = Replicate(schedules::Generate("1f1b", {2, 4}).value(), 2);
  executor::ThreadCrew crew;
  const auto made = Calibration::Make(model, schedule, 2, 2, crew);
  ASSERT_TRUE(made) << made.error().ToString();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE((*made)->Measure());
    if (i == 0) (*made)->Warmed();
  }
  const auto costs = (*made)->Costs(schedule);
  ASSERT_TRUE(costs);
  // The clock's own cost is taken off, as it was measured: a reading that took longer leaves a
  // rest.
  constexpr double kReading = 5e-6;
  ASSERT_EQ(costs->size(), 2U);
  int exchanges = 0;
  for (const RunCosts& call : *costs) {
    for (const auto& rank : call.actions) {
      for (const TimedAction& action : rank) {
        for (const TimedStep& step : action.steps) {
          EXPECT_GT(step.seconds, -kReading) << call.labels[static_cast<size_t>(step.label)].name;
          EXPECT_GT(step.before, -kReading) << call.labels[static_cast<size_t>(step.label)].name;
          exchanges += step.lane == timeline::Lane::kCommunication ? 1 : 0;
        }
      }
    }
  }
  EXPECT_GT(exchanges, 0);
}

// GPipe holds as much whether its backward passes are split or not: one calibration serves both,
// whichever came first.
TEST(Calibration, ServesSchedulesOfTheSameLoads) {
  const auto model = FindModel("micro").value();
  const auto whole = schedules::Generate("gpipe", {2, 4}).value();
  schedules::Schedule split = whole;
  for (auto& actions : split.actions) {
    std::vector<schedules::Action> apart;
    for (schedules::Action action : actions) {
      if (action.kind == schedules::ActionKind::kBackward) {
        action.kind = schedules::ActionKind::kInputGrad;
        apart.push_back(action);
        action.kind = schedules::ActionKind::kWeightGrad;
      }
      apart.push_back(action);
    }
    actions = apart;
  }
  ASSERT_EQ(LoadsOf(whole), LoadsOf(split));
  executor::ThreadCrew crew;
  for (const auto& [first, second] : {std::pair(whole, split), std::pair(split, whole)}) {
    const auto made = Calibration::Make(model, first, 1, 1, crew);
    ASSERT_TRUE(made);
    (*made)->Serve(second);
    ASSERT_TRUE((*made)->Measure());
    for (const auto& schedule : {first, second}) {
      const auto costs = (*made)->Costs(schedule);
      ASSERT_TRUE(costs);
      ASSERT_EQ(costs->size(), 1U);
      for (size_t rank = 0; rank < schedule.actions.size(); ++rank) {
        ASSERT_EQ(costs->front().actions[rank].size(), schedule.actions[rank].size());
        for (const TimedAction& action : costs->front().actions[rank]) {
          double sum = 0;
          for (const TimedStep& step : action.steps) sum += step.seconds;
          EXPECT_GT(sum, 0);
        }
      }
    }
  }
}

}  // namespace
}  // namespace pipescope::transformer
