// Predictions of runs with given costs against the closed forms they must meet.
#include <gtest/gtest.h>

#include "cli/validate_predict.h"
#include "schedules/evaluate.h"
#include "schedules/registry.h"
#include "schedules/token.h"

namespace pipescope::cli {
namespace {

using schedules::ActionKind;
using transformer::TimedAction;
using transformer::TimedStep;

constexpr double kForward = 3e-3, kInput = 2e-3, kWeight = 1e-3;

double CostOf(ActionKind kind) {
  switch (kind) {
    case ActionKind::kForward:
      return kForward;
    case ActionKind::kInputGrad:
      return kInput;
    case ActionKind::kWeightGrad:
      return kWeight;
    case ActionKind::kBackward:
      return kInput + kWeight;
    case ActionKind::kOverlapped:
      return kForward + kInput + kWeight;
  }
  return 0;
}

// Each action is `steps` steps of equal length; what it takes comes before the first, what it gives
// after the last. The step's end takes 1 ms on rank 0 and nothing on the others.
transformer::RunCosts Costs(const schedules::Schedule& schedule, int steps) {
  transformer::RunCosts costs;
  costs.labels.resize(1);
  for (const auto& list : schedule.actions) {
    auto& actions = costs.actions.emplace_back();
    for (const schedules::Action& action : list) {
      const double seconds = CostOf(action.kind) / steps;
      const TimedStep step{0, timeline::Lane::kCompute, {}, seconds, seconds};
      const bool forward = schedules::HasForward(action), back = schedules::HasBackward(action);
      actions.push_back({std::vector<TimedStep>(static_cast<size_t>(steps), step), forward ? 0 : -1,
                         forward ? steps - 1 : -1, back ? 0 : -1, back ? steps - 1 : -1});
    }
    const double end = costs.step_ends.empty() ? 1e-3 : 0;
    costs.step_ends.push_back(
        {{{0, timeline::Lane::kCompute, {}, end, end}, {0, timeline::Lane::kCompute, {}, 0, 0}}});
    costs.partners.push_back({static_cast<int>(costs.partners.size())});
  }
  return costs;
}

schedules::Costs EvaluatorCosts(double comm) {
  schedules::Costs costs;
  costs.forward = {kForward};
  costs.input_grad = {kInput};
  costs.weight_grad = {kWeight};
  costs.comm = comm;
  return costs;
}

TEST(Predict, ProcessorForEachRankIsTheEvaluator) {
  int families = 0;
  for (const schedules::Family& family : schedules::Families()) {
    const auto schedule = schedules::Generate(family.name, {4, 8});
    if (!schedule) continue;
    SCOPED_TRACE(family.name);
    const auto expected = Evaluate(schedules::Prepare(*schedule).value(), EvaluatorCosts(0.5e-3));
    for (const int steps : {1, 4}) {
      const auto t = PredictRun(*schedule, Costs(*schedule, steps), {4, Milliseconds(0.5)});
      EXPECT_NEAR(t.pipeline_end.seconds(), expected.makespan, 1e-9);
    }
    ++families;
  }
  EXPECT_GE(families, 15);
}

// One processor is never idle: the work of all ranks, whatever the order; and the step's end.
TEST(Predict, OneProcessorDoesAllWorkOneAfterTheOther) {
  for (const char* name : {"gpipe", "1f1b", "zb1p", "dualpipe"}) {
    const auto schedule = schedules::Generate(name, {4, 8});
    ASSERT_TRUE(schedule);
    const auto t = PredictRun(*schedule, Costs(*schedule, 2), {1, Duration(0)});
    EXPECT_NEAR(t.end.seconds(), 4 * 8 * (kForward + kInput + kWeight) + 1e-3, 1e-9) << name;
  }
}

// The same for turns, which with a processor for each rank nobody has to wait for.
TEST(Predict, ByTurns) {
  const Machine one{1, {}, {}, {}, true, {}}, four{4, {}, {}, {}, true, {}};
  for (const char* name : {"gpipe", "1f1b", "zb1p", "dualpipe"}) {
    const auto schedule = schedules::Generate(name, {4, 8});
    ASSERT_TRUE(schedule);
    const auto costs = Costs(*schedule, 2);
    EXPECT_NEAR(PredictRun(*schedule, costs, one).end.seconds(),
                4 * 8 * (kForward + kInput + kWeight) + 1e-3, 1e-9)
        << name;
    EXPECT_EQ(PredictRun(*schedule, costs, four).end,
              PredictRun(*schedule, costs, {4, Duration(0)}).end)
        << name;
  }
}

TEST(Predict, MoreProcessorsThanRanksChangeNothingAndFewerNeverHelp) {
  const auto schedule = schedules::Generate("1f1b", {4, 8});
  const auto end = [&](int processors) {
    return PredictRun(*schedule, Costs(*schedule, 3), {processors, Duration(0)}).end;
  };
  EXPECT_EQ(end(4), end(64));
  EXPECT_LT(end(4), end(3));
  EXPECT_LT(end(3), end(2));
  EXPECT_LT(end(2), end(1));
}

// 8 actions of 2 steps, one rank: the executor's 5 us before each.
TEST(Predict, TheExecutorsOwnTimeIsPaidForEachStep) {
  const auto schedule = schedules::Generate("1f1b", {1, 4});
  ASSERT_TRUE(schedule);
  auto costs = Costs(*schedule, 2);
  const Duration without = PredictRun(*schedule, costs, {1, Duration(0)}).end;
  for (TimedAction& action : costs.actions[0]) {
    for (TimedStep& step : action.steps) step.before = 5e-6;
  }
  EXPECT_EQ(PredictRun(*schedule, costs, {1, Duration(0)}).end - without, Microseconds(5) * 16);
}

// Two ranks, one micro-batch: an activation and a gradient, each with both ends and a hop. On one
// processor the hops are idle, the ends work.
TEST(Predict, AMessageTakesOfBothItsEnds) {
  const auto schedule = schedules::Generate("1f1b", {2, 1});
  ASSERT_TRUE(schedule);
  const auto costs = Costs(*schedule, 1);
  const Duration hop = Microseconds(50), send = Microseconds(9), receive = Microseconds(13);
  for (const bool by_turns : {false, true}) {
    for (const int processors : {1, 2}) {
      const Machine free{processors, {}, {}, {}, by_turns};
      const Machine paid{processors, hop, {}, {}, by_turns, {}, send, receive};
      EXPECT_EQ(PredictRun(*schedule, costs, paid).pipeline_end -
                    PredictRun(*schedule, costs, free).pipeline_end,
                (hop + send + receive) * 2);
    }
  }
  // Of 4 x 8 micro-batches on one processor the ends of all messages are work.
  const auto many = schedules::Generate("gpipe", {4, 8});
  ASSERT_TRUE(many);
  const auto end = [&](const Machine& machine) {
    return PredictRun(*many, Costs(*many, 1), machine).end;
  };
  EXPECT_EQ(end({1, {}, {}, {}, true, {}, send, receive}) - end({1, {}, {}, {}, true}),
            (send + receive) * (2 * 3 * 8));
}

// Two pipelines of one rank; F is a compute step and an exchange of 1 ms that waits for it. Rank
// 0's compute step takes 3 ms and rank 1's 5 ms.
struct TwoThatExchange {
  schedules::Schedule schedule{"pair", 2, 1, 2, 1, {{}, {}}};
  transformer::RunCosts costs;

  TwoThatExchange() {
    for (int rank = 0; rank < 2; ++rank) {
      for (const ActionKind kind : {ActionKind::kForward, ActionKind::kBackward}) {
        schedule.actions[static_cast<size_t>(rank)].push_back(
            {kind, StageId(0), MicrobatchId(rank)});
      }
    }
    costs = Costs(schedule, 1);
    costs.groups = {{0, 1}, {0, 1}};
    costs.labels.push_back({"exchange", {}, timeline::Lane::kCommunication, {}});
    for (size_t rank = 0; rank < 2; ++rank) {
      TimedAction& forward = costs.actions[rank][0];
      forward.steps[0].seconds = forward.steps[0].alone = rank == 0 ? 3e-3 : 5e-3;
      forward.steps.push_back({1, timeline::Lane::kCommunication, {0}, 1e-3, 1e-3});
    }
  }
};

const timeline::Operation& ExchangeOf(const timeline::Timeline& t, size_t rank) {
  const auto& forward = t.actions[static_cast<size_t>(t.rank_actions[rank].first)];
  return t.operations[static_cast<size_t>(forward.first + 1)];
}

// Rank 1's exchange runs from 5 to 6 ms, rank 0's the half millisecond of a meeting later.
TEST(Predict, AnExchangeWaitsForItsWholeGroup) {
  const TwoThatExchange two;
  const auto t = PredictRun(two.schedule, two.costs, {4, Duration(0), Milliseconds(0.5)});
  for (const size_t rank : {0, 1}) {
    EXPECT_EQ(ExchangeOf(t, rank).start, Milliseconds(rank == 0 ? 5.5 : 5));
    EXPECT_EQ(ExchangeOf(t, rank).end, Milliseconds(rank == 0 ? 6.5 : 6));
  }
}

// On one processor both come at 8 ms, when both compute steps have ended, and take turns with
// halves: rank 0, 1, 0, 1. With two, rank 0 comes at 3 ms and waits.
TEST(Predict, AnExchangeByTurnsIsInPieces) {
  const TwoThatExchange two;
  const auto one = PredictRun(two.schedule, two.costs, {1, {}, {}, {}, true});
  const auto each = PredictRun(two.schedule, two.costs, {2, {}, {}, {}, true});
  for (const size_t rank : {0, 1}) {
    EXPECT_EQ(ExchangeOf(one, rank).start, Milliseconds(8));
    EXPECT_EQ(ExchangeOf(one, rank).end, Milliseconds(rank == 0 ? 9.5 : 10));
    EXPECT_EQ(ExchangeOf(each, rank).start, Milliseconds(rank == 0 ? 3 : 5));
    EXPECT_EQ(ExchangeOf(each, rank).end, Milliseconds(6));
  }
  const auto apart = PredictRun(two.schedule, two.costs, {2, {}, Milliseconds(0.25), {}, true});
  // A quarter of a millisecond apart: rank 0 hears at 5.25 ms that rank 1 has come, rank 1 at 6 ms
  // that rank 0's rows are out.
  EXPECT_EQ(ExchangeOf(apart, 0).end, Milliseconds(6.25));
  EXPECT_EQ(ExchangeOf(apart, 1).end, Milliseconds(6.5));
  // Nothing but pieces is added: the work, one after the other.
  Duration work;
  for (const auto& rank : two.costs.actions) {
    for (const auto& action : rank) {
      for (const auto& step : action.steps) work += Seconds(step.seconds);
    }
  }
  EXPECT_EQ(one.pipeline_end, work);
}

// One rank, F of a compute step, an exchange that waits for it and a compute step that waits for
// that, then B: the lane's thread is woken for the exchange, the rank's for what follows it.
TEST(Predict, ALaneIsWokenForWhatItWaitedFor) {
  const auto schedule = schedules::Generate("1f1b", {1, 1});
  ASSERT_TRUE(schedule);
  auto costs = Costs(*schedule, 1);
  costs.groups = {{0}};
  TimedAction& forward = costs.actions[0][0];
  forward.steps.push_back({0, timeline::Lane::kCommunication, {0}, 1e-3, 1e-3});
  forward.steps.push_back({0, timeline::Lane::kCompute, {1}, 1e-3, 1e-3});
  forward.gives_activation = 2;
  const auto end = [&](Duration handover) {
    return PredictRun(*schedule, costs, {1, {}, {}, handover}).pipeline_end;
  };
  EXPECT_EQ(end(Milliseconds(0.25)) - end({}), Milliseconds(0.5));
  const auto t = PredictRun(*schedule, costs, {1, {}, {}, Milliseconds(0.25)});
  ASSERT_EQ(t.actions[0].count, 3);
  const Duration starts[] = {{}, Milliseconds(3.25), Milliseconds(4.5)};
  for (int i = 0; i < 3; ++i) {
    const auto& operation = t.operations[static_cast<size_t>(t.actions[0].first + i)];
    EXPECT_EQ(operation.start, starts[i]) << i;
    EXPECT_EQ(operation.action, 0) << i;
  }
  // An exchange that nothing waits for: the next action does, at its end, and it is woken once.
  forward.steps.pop_back();
  forward.gives_activation = 0;
  EXPECT_EQ(end(Milliseconds(0.25)) - end({}), Milliseconds(0.5));
}

// Two ranks of one action of F: 4 ms beside the other, 3 ms alone. Rank 0's is twice as long: they
// run at 3/4 until rank 1 is done after 4 ms, and what is left of rank 0's 6 ms takes 3 ms alone.
TEST(Predict, ARankIsFasterWhileTheOtherWaits) {
  schedules::Schedule schedule{"pair", 2, 1, 2, 1, {{}, {}}};
  for (int rank = 0; rank < 2; ++rank) {
    schedule.actions[static_cast<size_t>(rank)] = {
        {ActionKind::kForward, StageId(0), MicrobatchId(rank)},
        {ActionKind::kBackward, StageId(0), MicrobatchId(rank)}};
  }
  auto costs = Costs(schedule, 1);
  for (size_t rank = 0; rank < 2; ++rank) {
    for (TimedAction& action : costs.actions[rank]) {
      action.steps[0].alone = rank == 0 ? 3e-3 : 1.5e-3;
      action.steps[0].seconds = action.steps[0].alone * 4 / 3;
    }
    for (TimedStep& step : costs.step_ends[rank].steps) step.seconds = step.alone = 0;
  }
  const auto t = PredictRun(schedule, costs, {16, Duration(0)});
  EXPECT_NEAR(t.pipeline_end.seconds(), 7e-3, 1e-9);
}

// A partner's gradients: rank 1 waits for rank 0's, which are out 1 ms after its last action.
TEST(Predict, TheEndWaitsForPartners) {
  const auto schedule = schedules::Generate("1f1b", {2, 4});
  auto costs = Costs(*schedule, 1);
  costs.partners = {{0, 1}, {0, 1}};
  const auto t = PredictRun(*schedule, costs, {2, Duration(0)});
  const Duration out = t.pipeline_end + Milliseconds(1);  // rank 0 ends last
  EXPECT_EQ(t.end, out);
  for (const timeline::Operation& o : t.operations) {
    if (o.rank == 1 && o.end == out) return;
  }
  ADD_FAILURE() << "rank 1 did not wait";
}

}  // namespace
}  // namespace pipescope::cli
