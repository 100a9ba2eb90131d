// The model under every schedule: loss, gradients and weights equal one rank's to the bit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "schedules/registry.h"
#include "schedules/token.h"
#include "tests/kernels/transformer/runs.h"

namespace pipescope::transformer {
namespace {

using testing::HasSubstr;

ModelConfig Tiny(int64_t layers) {
  ModelConfig model = FindModel("micro").value();
  model.layers = layers;
  return model;
}

class EveryFamily : public testing::TestWithParam<int> {};

// Two steps, so that the second one sees what the optimizer made of the first one's gradients.
TEST_P(EveryFamily, EqualsOneRank) {
  const int ranks = GetParam(), microbatches = 2 * ranks;
  const ModelConfig model = Tiny(2 * ranks);
  const Outcome expected = Train(model, OneRank(microbatches), 2);
  ForEveryFamily(model, ranks, microbatches, [&](const schedules::Schedule& schedule) {
    ExpectSame(Train(model, schedule, 2), expected);
  });
}

INSTANTIATE_TEST_SUITE_P(Ranks, EveryFamily, testing::Values(2, 4));

TEST(Schedules, SixteenRanksOfDualPipe) {
  const ModelConfig model = Tiny(16);
  const auto schedule = schedules::Generate("dualpipe", {16, 32});
  ASSERT_TRUE(schedule);
  ExpectSame(Train(model, *schedule, 1), Train(model, OneRank(32), 1));
}

// Replicas are threads too; a step of two with half the micro-batches each is the same step.
TEST(Schedules, ReplicasEqualOneRank) {
  const ModelConfig model = Tiny(4);
  const Outcome expected = Train(model, OneRank(8), 2);
  const auto schedule = schedules::Generate("zb-h1", {2, 4});
  ASSERT_TRUE(schedule);
  const Outcome got = Train(model, *schedule, 2, 2);
  ExpectSame(got, expected);
}

TEST(Schedules, Bf16EqualsOneRankToo) {
  ModelConfig model = Tiny(4);
  model.bf16 = true;
  const auto schedule = schedules::Generate("dualpipe", {4, 8});
  ASSERT_TRUE(schedule);
  ExpectSame(Train(model, *schedule, 2), Train(model, OneRank(8), 2));
}

// Rank 1 has ended its actions and waits for rank 0's gradients of the embedding, which MTP shares,
// when rank 0 fails in its last action: the run ends with that, and does not hang.
class FailsAtLast : public executor::RankWork {
 public:
  explicit FailsAtLast(std::unique_ptr<executor::RankWork> work) : work_(std::move(work)) {}

  const std::vector<timeline::Label>& labels() const override { return work_->labels(); }
  executor::Steps Plan(const schedules::Action& action, executor::Ports& ports) override {
    executor::Steps steps = work_->Plan(action, ports);
    if (schedules::ToToken(action) == "0B3") {
      steps.list.back().run = []() -> Status {
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        return Fail("no more memory");
      };
    }
    return steps;
  }
  executor::Steps StepEnd() override { return work_->StepEnd(); }
  void Cancel() override { work_->Cancel(); }

 private:
  std::unique_ptr<executor::RankWork> work_;
};

TEST(Schedules, AFailureEndsTheWaitForItsGradients) {
  const auto schedule = schedules::Generate("1f1b", {2, 4});
  Training training;
  training.model = Tiny(4);
  training.stages = 2;
  training.microbatches = 4;
  auto works = MakeRanks(training, *schedule);
  works[0] = std::make_unique<FailsAtLast>(std::move(works[0]));
  const auto run = executor::RunOnThreads(*schedule, works, {});
  ASSERT_FALSE(run);
  EXPECT_THAT(run.error().ToString(), HasSubstr("rank 0, action 8 of 8, 0B3"));
  EXPECT_THAT(run.error().ToString(), HasSubstr("no more memory"));
}

TEST(Schedules, MoreStagesThanLayersAreRefused) {
  const auto schedule = schedules::Generate("1f1b", {8, 8});
  const Status ok = CheckRun(Tiny(4), *schedule);
  ASSERT_FALSE(ok);
  EXPECT_THAT(ok.error().ToString(), HasSubstr("8 stages for 4 layers"));
}

}  // namespace
}  // namespace pipescope::transformer
