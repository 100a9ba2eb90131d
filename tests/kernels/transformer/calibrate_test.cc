// What a calibration measures: of ranks whose dispatch and combine have threads of their own, too.
#include "kernels/transformer/calibrate.h"

#include <gtest/gtest.h>

#include <mutex>
#include <thread>

#include "kernels/executor/threads.h"
#include "kernels/turns.h"
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

// Comes to a meeting of so many; on one processor they take turns.
void Await(std::mutex& mutex, int& come, int all) {
  std::unique_lock lock(mutex);
  ++come;
  lock.unlock();
  kernels::TellTurns();
  lock.lock();
  while (come < all) {
    if (kernels::WaitInTurn(lock, [&] { return come >= all; })) continue;
    lock.unlock();
    std::this_thread::yield();
    lock.lock();
  }
}

// A rank that is through plays on until the others are, on a busy machine hundreds of times: the
// sums of its made-up gradients have no bound, where those of a run are to be exact.
TEST(Calibration, SumsOfMadeUpGradientsMayGrow) {
  const auto schedule = schedules::Generate("1f1b", {2, 2}).value();
  for (const bool alone : {true, false}) {
    Training training;
    training.model = FindModel("micro").value();
    training.model.layers = 2;
    training.stages = 2;
    training.microbatches = 2;
    training.alone = alone;
    executor::ThreadCrew crew;
    const auto works = MakeRanks(training, schedule, crew).value();
    const auto size = static_cast<size_t>(training.model.tokens * training.model.hidden);
    const executor::Handed handed{2, std::vector<float>(size, 1), std::vector<float>(size, 1e6F)};
    const auto loads = LoadsOf(schedule);
    std::vector<RankPlay> plays;
    for (size_t r = 0; r < 2; ++r) {
      plays.emplace_back(static_cast<int>(r), loads[r], handed, *works[r], crew);
    }
    std::mutex mutex;
    int out = 0;
    crew.OnRanks(works, 2, [&](size_t r) {
      plays[r].PlayOn(false);
      plays[r].StepEnd([&] { Await(mutex, out, 2); });
    });
    EXPECT_EQ(plays[0].status().has_value(), alone);
    EXPECT_EQ(plays[1].status().has_value(), alone);  // it shares the embedding
  }
}

}  // namespace
}  // namespace pipescope::transformer
