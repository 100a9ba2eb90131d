// Expert parallelism: experts on ranks of their own, behind the real dispatch and combine, train
// what one rank with all of them trains, to the bit; and near to what no exchange would.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "kernels/executor/processors.h"
#include "schedules/registry.h"
#include "tests/kernels/transformer/runs.h"

namespace pipescope::transformer {
namespace {

using testing::HasSubstr;

ModelConfig Grouped(int groups) {
  ModelConfig model = FindModel("micro").value();
  model.layers = 4;
  model.expert_groups = groups;
  return model;
}

// Pipelines x ranks: 2 x 2 with a group of two, 4 x 2 with two groups of two and one of four.
TEST(Experts, RanksOfTheirOwnEqualOneRank) {
  for (const char* name : {"1f1b", "zb1p", "dualpipe", "zbv"}) {
    SCOPED_TRACE(name);
    const auto schedule = schedules::Generate(name, {2, 4});
    ASSERT_TRUE(schedule);
    const Outcome expected = Train(Grouped(2), OneRank(8), 2);
    ExpectSame(Train(Grouped(2), *schedule, 2, 2, 2), expected);
  }
  const auto schedule = schedules::Generate("dualpipe", {2, 4});
  ExpectSame(Train(Grouped(2), *schedule, 2, 4, 2), Train(Grouped(2), OneRank(16), 2));
  ExpectSame(Train(Grouped(4), *schedule, 2, 4, 4), Train(Grouped(4), OneRank(16), 2));
}

// Lanes that wait for rows of each other take turns.
TEST(Experts, OnOneProcessorToo) {
  const auto schedule = schedules::Generate("dualpipe", {2, 4});
  const Outcome expected = Train(Grouped(2), OneRank(8), 1);
  std::thread([&] {
    executor::Bind({executor::Processors().front()});
    ExpectSame(Train(Grouped(2), *schedule, 1, 2, 2), expected);
  }).join();
}

TEST(Experts, InBf16Too) {
  ModelConfig model = Grouped(2);
  model.bf16 = true;
  const auto schedule = schedules::Generate("1f1b", {2, 4});
  ExpectSame(Train(model, *schedule, 2, 2, 2), Train(model, OneRank(8), 2));
}

// Rows travel in BF16, to 2^-9 = 0.2 % of each value there and back. Every expert is chosen: with
// less, rounding decides some close choices otherwise, which is no small change of a gradient.
TEST(Experts, TheExchangeChangesTheModelByItsRoundingOnly) {
  const auto all_chosen = [](int groups) {
    ModelConfig model = Grouped(groups);
    model.routing.selected = model.routing.experts;
    model.routing.groups_selected = model.routing.groups;
    return Train(model, OneRank(4), 1);
  };
  const Outcome exact = all_chosen(1);
  for (const int groups : {2, 4, 8}) {
    const Outcome rounded = all_chosen(groups);
    EXPECT_NE(rounded.losses, exact.losses);
    EXPECT_NEAR(rounded.losses[0], exact.losses[0], 1e-3 * exact.losses[0]);
    double off = 0, size = 0;
    for (const auto& [name, gradient] : exact.gradients) {
      for (size_t i = 0; i < gradient.size(); ++i) {
        off += std::pow(rounded.gradients.at(name)[i] - gradient[i], 2);
        size += std::pow(gradient[i], 2);
      }
    }
    EXPECT_LT(std::sqrt(off / size), 0.01) << groups;
    RecordProperty("error_of_" + std::to_string(groups), std::to_string(std::sqrt(off / size)));
  }
}

TEST(Experts, GroupsThatDoNotDivideAreRefused) {
  const Status ok = CheckModel(Grouped(3));
  ASSERT_FALSE(ok);
  EXPECT_THAT(ok.error().ToString(), HasSubstr("3 groups of experts"));
}

// A rank that fails while others wait for its rows: they are told.
class FailsAt : public executor::RankWork {
 public:
  FailsAt(std::unique_ptr<executor::RankWork> work, int action)
      : work_(std::move(work)), at_(action) {}
  const std::vector<timeline::Label>& labels() const override { return work_->labels(); }
  executor::Steps Plan(const schedules::Action& action, executor::Ports& ports) override {
    executor::Steps steps = work_->Plan(action, ports);
    if (at_-- == 0) steps.list[0].run = []() -> Status { return Fail("no more memory"); };
    return steps;
  }
  executor::Steps StepEnd() override { return work_->StepEnd(); }
  void Cancel() override { work_->Cancel(); }

 private:
  std::unique_ptr<executor::RankWork> work_;
  int at_;
};

TEST(Experts, AFailureEndsTheWaitForRows) {
  const auto schedule = Replicate(schedules::Generate("1f1b", {2, 4}).value(), 2);
  Training training;
  training.model = Grouped(2);
  training.stages = 2;
  training.microbatches = 8;
  training.replicas = training.expert_ranks = 2;
  auto works = MakeRanks(training, schedule);
  works[2] = std::make_unique<FailsAt>(std::move(works[2]), 3);
  const auto run = executor::RunOnThreads(schedule, works, {});
  ASSERT_FALSE(run);
  EXPECT_THAT(run.error().ToString(), HasSubstr("rank 2, action 4 of 8"));
  EXPECT_THAT(run.error().ToString(), HasSubstr("no more memory"));
}

}  // namespace
}  // namespace pipescope::transformer
