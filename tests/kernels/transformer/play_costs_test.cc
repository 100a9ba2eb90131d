// What actions cost out of a play whose times say which one they are of.
#include "kernels/transformer/play_costs.h"

#include <gtest/gtest.h>

#include "schedules/registry.h"
#include "schedules/token.h"

namespace pipescope::transformer {
namespace {

using schedules::Action;
using schedules::ActionKind;

// Each half of an action is two steps.
class TwoSteps : public executor::RankWork {
 public:
  const std::vector<timeline::Label>& labels() const override { return labels_; }
  executor::Steps Plan(const Action& action, executor::Ports&) override {
    executor::Steps steps;
    const bool pair = action.kind == ActionKind::kOverlapped;
    if (pair || action.kind == ActionKind::kForward) Add(0, steps);
    if (pair || action.kind != ActionKind::kForward) Add(1, steps);
    return steps;
  }
  executor::Steps StepEnd() override {
    executor::Steps steps;
    steps.list.resize(2);
    return steps;
  }

 private:
  static void Add(int32_t label, executor::Steps& steps) {
    executor::Step step;
    step.label = label;
    steps.list.insert(steps.list.end(), 2, step);
  }

  using Label = timeline::Label;
  const std::vector<timeline::Label> labels_ = {
      Label{"F", timeline::OperationKind::kOther, timeline::Lane::kCompute,
            timeline::Part::kForward},
      Label{"B", timeline::OperationKind::kOther, timeline::Lane::kCompute,
            timeline::Part::kInputGrad}};
};

ActionKey Key(ActionKind kind, int stage) { return {static_cast<int>(kind), stage}; }

// The n-th action takes base + n, its second step 0.5 more; 0.25 come before each.
std::vector<std::vector<StepTimes>> Rising(int count, double base) {
  std::vector<std::vector<StepTimes>> actions;
  for (int n = 0; n < count; ++n) actions.push_back({{base + n, 0.25}, {base + n + 0.5, 0.25}});
  return actions;
}

PlayTimes TimesOf(int stage, int count) {
  PlayTimes times;
  times.whole[Key(ActionKind::kForward, stage)] = Rising(count, 100);
  times.whole[Key(ActionKind::kBackward, stage)] = Rising(count, 200);
  times.split[Key(ActionKind::kForward, stage)] = Rising(count, 300);
  times.split[Key(ActionKind::kInputGrad, stage)] = Rising(count, 400);
  times.split[Key(ActionKind::kWeightGrad, stage)] = Rising(count, 500);
  times.end = {{7, 0}, {8, 0}};
  return times;
}

std::vector<Action> Parse(const std::vector<std::string>& tokens) {
  std::vector<Action> actions;
  for (const std::string& token : tokens) actions.push_back(schedules::ParseToken(token).value());
  return actions;
}

// Of the first steps.
std::vector<double> SecondsOf(const std::vector<std::string>& tokens, const PlayTimes& times) {
  const auto whole = AloneSharesOf({&times.whole}, {}), split = AloneSharesOf({&times.split}, {});
  TwoSteps work;
  std::vector<double> seconds;
  for (const TimedAction& action : CostsOf(Parse(tokens), work, {times, whole, split})) {
    for (size_t i = 0; i < action.steps.size(); i += 2) seconds.push_back(action.steps[i].seconds);
    EXPECT_EQ(action.steps.back().before, 0.25);
    EXPECT_EQ(action.steps.back().alone, action.steps.back().seconds);
  }
  return seconds;
}

TEST(PlayCosts, AreThoseOfTheSamePlaceInTheOrderOfAStage) {
  EXPECT_EQ(SecondsOf({"0F3", "0F5", "0B3", "0F1", "0B5", "0B1"}, TimesOf(0, 3)),
            (std::vector<double>{100, 101, 200, 102, 201, 202}));
}

TEST(PlayCosts, OfARankThatSplitsAreThoseOfTheOrderThatDoes) {
  EXPECT_EQ(SecondsOf({"0F0", "0F1", "0I0", "0I1", "0W0", "0W1"}, TimesOf(0, 2)),
            (std::vector<double>{300, 301, 400, 401, 500, 501}));
}

// A B is a backward pass and a weight gradient: what comes after it is the second of both.
TEST(PlayCosts, CountABackwardPassAndAWeightGradientForEachB) {
  EXPECT_EQ(SecondsOf({"0F0", "0F1", "0F2", "0B0", "0I1", "0W1", "0B2"}, TimesOf(0, 3)),
            (std::vector<double>{300, 301, 302, 200, 401, 501, 202}));
}

TEST(PlayCosts, OfAPairAreThoseOfItsHalves) {
  PlayTimes times = TimesOf(0, 2);
  times.whole.merge(TimesOf(3, 2).whole);
  EXPECT_EQ(SecondsOf({"3F0", "(0F0;3B0)OVERLAP_F_B", "3F1", "(0F1;3B1)OVERLAP_F_B"}, times),
            (std::vector<double>{100, 100, 200, 101, 101, 201}));
}

TEST(PlayCosts, OfTheStepsEndAreAsMeasured) {
  const PlayTimes times = TimesOf(0, 1);
  TwoSteps work;
  const TimedAction end = StepEndCosts(work, {times, {}, {}});
  ASSERT_EQ(end.steps.size(), 2U);
  EXPECT_EQ(end.steps[0].seconds, 7);
  EXPECT_EQ(end.steps[1].alone, 8);
}

// One disturbed play of three says nothing, and waiting never makes a step longer.
TEST(PlayCosts, AloneSharesAreOfMedians) {
  const ActionKey key{0, 0};
  const auto play = [&](double first, double second) {
    return ActionTimes{{key, {{{first, 0}, {first, 0}}, {{second, 0}, {second, 0}}}}};
  };
  const auto a = play(10, 10), b = play(10, 12), c = play(50, 10), d = play(8, 8), e = play(9, 99);
  EXPECT_DOUBLE_EQ(AloneSharesOf({&a, &b, &c}, {&d, &d, &e}).at(key)[1], 16.0 / 22);
  EXPECT_EQ(AloneSharesOf({&d}, {&a}).at(key)[0], 1);
  EXPECT_EQ(AloneSharesOf({&d}, {}).at(key)[0], 1);
}

}  // namespace
}  // namespace pipescope::transformer
