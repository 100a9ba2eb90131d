// The model on a device that CPU threads play: loss, gradients and weights equal those of the model
// in BF16 on one rank of a CPU to the bit, under every schedule.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/executor/threads.h"
#include "kernels/transformer/calibrate.h"
#include "kernels/transformer/device/emulation.h"
#include "kernels/transformer/device/rank.h"
#include "schedules/registry.h"
#include "tests/kernels/transformer/runs.h"

namespace pipescope::transformer {
namespace {

using device::DeviceRanks;
using device::Emulation;
using testing::HasSubstr;

ModelConfig Micro(int64_t layers) {
  ModelConfig model = FindModel("micro").value();
  model.layers = layers;
  model.bf16 = true;
  return model;
}

struct Case {
  int steps = 2, replicas = 1, expert_ranks = 1;
  uint32_t jitter = 0;
};

void Prepare(Training& training, const ModelConfig& model, const schedules::Schedule& schedule,
             const Case& c) {
  training.model = model;
  training.adamw.rate = 3e-3;
  training.stages = schedule.stages;
  training.microbatches = schedule.microbatches;
  training.replicas = c.replicas;
  training.expert_ranks = c.expert_ranks;
}

Outcome TrainOnDevice(const ModelConfig& model, const schedules::Schedule& one, const Case& c) {
  Outcome outcome;
  Emulation emulation({.jitter = c.jitter});
  {
    DeviceRanks ranks([&](int rank) { return emulation.Open(rank); });
    executor::ThreadCrew crew;
    outcome = TrainWith(crew, model, one, c.steps, c.replicas, c.expert_ranks,
                        {&ranks, PackParameters<device::Rank>});
  }
  EXPECT_EQ(emulation.held_bytes(), 0);
  return outcome;
}

schedules::Schedule Make(const std::string& family, int ranks, int microbatches) {
  return schedules::Generate(family, {ranks, microbatches}).value();
}

TEST(OnDevice, OneRankIsTheModelOnACpu) {
  const ModelConfig model = Micro(2);
  ExpectSame(TrainOnDevice(model, OneRank(2), {.steps = 3}), Train(model, OneRank(2), 3));
}

class EveryFamily : public testing::TestWithParam<int> {};

TEST_P(EveryFamily, EqualsTheModelOnACpu) {
  const int ranks = GetParam(), microbatches = 2 * ranks;
  const ModelConfig model = Micro(2 * ranks);
  const Outcome expected = Train(model, OneRank(microbatches), 2);
  ForEveryFamily(model, ranks, microbatches, [&](const schedules::Schedule& schedule) {
    ExpectSame(TrainOnDevice(model, schedule, {}), expected);
  });
}

INSTANTIATE_TEST_SUITE_P(Ranks, EveryFamily, testing::Values(2, 4));

// Queues that stop at random: what is kept by nothing but luck breaks.
TEST(OnDevice, QueuesMayStumble) {
  const ModelConfig model = Micro(8);
  const Outcome expected = Train(model, OneRank(8), 2);
  for (const char* family : {"1f1b", "zbv", "dualpipe"}) {
    SCOPED_TRACE(family);
    ExpectSame(TrainOnDevice(model, Make(family, 4, 8), {.jitter = 7}), expected);
  }
}

TEST(OnDevice, EightRanksOfDualPipe) {
  const ModelConfig model = Micro(8);
  ExpectSame(TrainOnDevice(model, Make("dualpipe", 8, 16), {.steps = 1}),
             Train(model, OneRank(16), 1));
}

TEST(OnDevice, ReplicasAddTheirGradientsUp) {
  const ModelConfig model = Micro(4);
  ExpectSame(TrainOnDevice(model, Make("zb-h1", 2, 4), {.replicas = 2}),
             Train(model, OneRank(8), 2));
}

// Experts in groups, all of them on each rank, or each on a rank of its own.
TEST(OnDevice, ExpertsOfOtherRanks) {
  ModelConfig model = Micro(4);
  model.expert_groups = 2;
  const Outcome expected = Train(model, OneRank(8), 2);
  ExpectSame(TrainOnDevice(model, OneRank(8), {}), expected);
  for (const char* family : {"1f1b", "dualpipe"}) {
    SCOPED_TRACE(family);
    const Case c{.replicas = 2, .expert_ranks = 2, .jitter = 3};
    ExpectSame(TrainOnDevice(model, Make(family, 2, 4), c), expected);
  }
}

TEST(OnDevice, ATimelineComesFromTheDevicesEvents) {
  const schedules::Schedule schedule = Make("1f1b", 2, 4);
  Training training;
  Prepare(training, Micro(2), schedule, {});
  Emulation emulation;
  DeviceRanks ranks([&](int rank) { return emulation.Open(rank); });
  executor::ThreadCrew crew;
  const auto works = ranks.Make(training, schedule, crew);
  ASSERT_TRUE(works);
  const auto run = executor::RunOnThreads(schedule, *works, {});
  ASSERT_TRUE(run) << run.error().ToString();
  const timeline::Timeline& t = run->timeline;
  EXPECT_EQ(t.actions.size(), 16U);
  EXPECT_EQ(t.messages.size(), 8U);
  for (const timeline::Operation& operation : t.operations) {
    EXPECT_LE(operation.start, operation.end);
    if (operation.released_by < 0) continue;
    EXPECT_LE(t.operations[static_cast<size_t>(operation.released_by)].end, operation.start);
  }
}

TEST(OnDevice, TooLittleMemoryEndsTheRun) {
  const schedules::Schedule schedule = Make("gpipe", 2, 4);
  Training training;
  Prepare(training, Micro(2), schedule, {});
  Emulation emulation({.most_bytes = 1 << 21});
  DeviceRanks ranks([&](int rank) { return emulation.Open(rank); });
  executor::ThreadCrew crew;
  const auto works = ranks.Make(training, schedule, crew);
  ASSERT_TRUE(works);
  const auto run = executor::RunOnThreads(schedule, *works, {});
  ASSERT_FALSE(run);
  EXPECT_THAT(run.error().ToString(), HasSubstr("out of memory"));
}

// Ranks alone: what each step costs, by the device's events, for a schedule's prediction.
TEST(OnDevice, StepsAreCalibratedByTheDevicesEvents) {
  const schedules::Schedule schedule = Make("1f1b", 2, 4);
  Emulation emulation;
  DeviceRanks ranks([&](int rank) { return emulation.Open(rank); });
  executor::ThreadCrew crew;
  const auto made = Calibration::Make(Micro(4), schedule, 1, 1, crew, &ranks);
  ASSERT_TRUE(made) << made.error().ToString();
  for (int i = 0; i < 3; ++i) {
    const Status measured = (*made)->Measure();
    ASSERT_TRUE(measured) << measured.error().ToString();
    if (i == 0) (*made)->Warmed();
  }
  const auto costs = (*made)->Costs(schedule);
  ASSERT_TRUE(costs);
  ASSERT_EQ(costs->size(), 2U);
  const RunCosts& last = costs->back();
  for (const auto& rank : last.actions) {
    ASSERT_EQ(rank.size(), 8U);
    for (const TimedAction& action : rank) {
      double sum = 0;
      for (const TimedStep& step : action.steps) {
        EXPECT_GE(step.seconds, 0);
        EXPECT_GE(step.before, 0);
        sum += step.seconds;
      }
      EXPECT_GT(sum, 1e-6);
      EXPECT_LT(sum, 10);
    }
  }
  EXPECT_EQ(last.partners, (std::vector<std::vector<int>>{{0, 1}, {0, 1}}));  // the embedding
  const auto hop = ranks.MeasureHop(Micro(4), 2, crew);
  ASSERT_TRUE(hop);
  EXPECT_LT(*hop, 0.1);
}

TEST(OnDevice, WhatADeviceCannotIsRefused) {
  Emulation emulation;
  DeviceRanks ranks([&](int rank) { return emulation.Open(rank); });
  ModelConfig model = Micro(2);
  model.bf16 = false;
  EXPECT_THAT(ranks.Check(model).error().ToString(), HasSubstr("BF16 alone"));
  model.bf16 = model.fp8 = true;
  EXPECT_THAT(ranks.Check(model).error().ToString(), HasSubstr("FP8"));
}

}  // namespace
}  // namespace pipescope::transformer
