// Thousands of random sizes, choices and costs: every schedule is legal, and its timing obeys what
// must hold of any timing.
#include <map>
#include <numeric>
#include <random>

#include "schedules/check.h"
#include "schedules/csv.h"
#include "schedules/token.h"
#include "tests/schedules/testing.h"

namespace pipescope::schedules {
namespace {

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  int Integer(int least, int most) {
    return least + static_cast<int>(engine_() % static_cast<uint32_t>(most - least + 1));
  }
  double Cost() { return Integer(1, 400) / 16.0; }  // sums are exact
  CostList List(int stages) {
    CostList list;
    for (int n = Integer(0, 1) == 0 ? 1 : stages; n > 0; --n) list.push_back(Cost());
    return list;
  }

 private:
  std::mt19937 engine_;
};

Costs RandomCosts(Random& random, int stages) {
  Costs costs;
  costs.forward = random.List(stages);
  costs.input_grad = random.List(stages);
  costs.weight_grad = random.List(stages);
  if (random.Integer(0, 1) == 0) costs.backward = random.List(stages);
  if (random.Integer(0, 1) == 0) costs.overlapped = random.List(stages);
  costs.comm = random.Integer(0, 2) == 0 ? random.Cost() : 0;
  return costs;
}

// The first micro-batch's way through all stages and back cannot be shortened by any order.
double CriticalPath(const Schedule& schedule, const Costs& costs) {
  double path = 0;
  for (int s = 0; s < schedule.stages; ++s) {
    path += std::min(costs.Forward(s), costs.Overlapped(s, schedule.stages - 1 - s));
    path += std::min(
        {costs.InputGrad(s), costs.Backward(s), costs.Overlapped(schedule.stages - 1 - s, s)});
  }
  return path;
}

// The rules of timing, said a second time in the plainest way: look up every need by name.
void ExpectObeysTheRules(const Schedule& schedule, const Prepared& prepared, const Costs& costs,
                         const Timing& timing) {
  std::map<std::pair<int, int>, std::pair<double, size_t>> forward, backward;  // end, rank
  std::vector<std::pair<size_t, size_t>> ids;
  for (size_t r = 0; r < schedule.actions.size(); ++r) {
    for (size_t i = 0; i < schedule.actions[r].size(); ++i) {
      const Action& a = schedule.actions[r][i];
      const double end = timing.end[static_cast<size_t>(prepared.flow.offset[r]) + i];
      if (HasForward(a)) forward[{a.stage.value(), a.microbatch.value()}] = {end, r};
      if (HasBackward(a)) {
        backward[{BackwardStage(a).value(), BackwardMicrobatch(a).value()}] = {end, r};
      }
    }
  }
  for (size_t r = 0; r < schedule.actions.size(); ++r) {
    double clock = 0;
    for (size_t i = 0; i < schedule.actions[r].size(); ++i) {
      const Action& a = schedule.actions[r][i];
      const auto wait = [&](auto& ends, int stage, int microbatch) {
        const auto it = ends.find({stage, microbatch});
        if (it == ends.end()) return;
        clock = std::max(clock, it->second.first + (it->second.second == r ? 0 : costs.comm));
      };
      if (HasForward(a)) wait(forward, a.stage.value() - 1, a.microbatch.value());
      if (HasBackward(a)) {
        wait(backward, BackwardStage(a).value() + 1, BackwardMicrobatch(a).value());
      }
      const size_t id = static_cast<size_t>(prepared.flow.offset[r]) + i;
      ASSERT_EQ(timing.start[id], clock) << ToToken(a);
      clock += costs.Of(a);
      ASSERT_EQ(timing.end[id], clock) << ToToken(a);
    }
  }
}

TEST(Property, RandomSizesAndCosts) {
  Random random(20);
  int tried = 0;
  while (tried < 4000) {
    const Family& family = Families()[static_cast<size_t>(tried) % Families().size()];
    const int ranks = random.Integer(1, 12);
    const auto choices = Choices(family, ranks, random.Integer(1, 4 * ranks));
    const auto schedule =
        Generate(family, choices[static_cast<size_t>(random.Integer(0, 99)) % choices.size()]);
    if (!schedule) continue;
    ++tried;
    ASSERT_TRUE(Check(*schedule).empty()) << family.name << " " << ranks;
    const auto prepared = Prepare(*schedule);
    ASSERT_TRUE(prepared);
    const Costs costs = RandomCosts(random, schedule->stages);
    ASSERT_TRUE(CheckCosts(costs, schedule->stages));
    const Timing timing = Evaluate(*prepared, costs);
    ASSERT_NO_FATAL_FAILURE(ExpectObeysTheRules(*schedule, *prepared, costs, timing));
    const double work = std::accumulate(timing.busy.begin(), timing.busy.end(), 0.0);
    for (const double busy : timing.busy) ASSERT_GE(timing.makespan, busy);
    ASSERT_GE(timing.makespan, work / schedule->ranks * (1 - 1e-12));
    ASSERT_GE(timing.makespan, timing.span);
    ASSERT_GE(timing.makespan, CriticalPath(*schedule, costs));
    for (const int peak : prepared->peak_activations) ASSERT_GE(peak, 1);
  }
}

TEST(Property, MoreLatencyOrCostNeverEndsSooner) {
  Random random(4);
  for (int i = 0; i < 500; ++i) {
    const Family& family = Families()[static_cast<size_t>(i) % Families().size()];
    const int ranks = 2 * random.Integer(1, 5);
    const Schedule schedule = MakeSchedule(family.name, ranks, 2 * ranks * random.Integer(1, 2));
    Costs costs = RandomCosts(random, schedule.stages);
    const double before = Time(schedule, costs).makespan;
    costs.comm += random.Cost();
    ASSERT_GE(Time(schedule, costs).makespan, before);
    costs.forward.front() += random.Cost();
    ASSERT_GE(Time(schedule, costs).makespan, before);
  }
}

TEST(Property, EvaluatingAgainReusesNothingOld) {
  const auto prepared = Prepare(MakeSchedule("dualpipe", 8, 20));
  ASSERT_TRUE(prepared);
  Random random(9);
  Timing reused;
  for (int i = 0; i < 50; ++i) {
    const Costs costs = RandomCosts(random, 8);
    Evaluate(*prepared, costs, reused);
    const Timing fresh = Evaluate(*prepared, costs);
    EXPECT_EQ(reused.end, fresh.end);
    EXPECT_EQ(reused.busy, fresh.busy);
    EXPECT_EQ(reused.span, fresh.span);
  }
}

// Swapping neighbours of a rank keeps the work; the checker must tell sound from stuck, and agree
// with Prepare.
TEST(Property, ShuffledOrdersAreSoundOrExplained) {
  Random random(31);
  int sound = 0, stuck = 0;
  for (int i = 0; i < 6000; ++i) {
    const Family& family = Families()[static_cast<size_t>(i) % Families().size()];
    Schedule schedule = MakeSchedule(family.name, 4, 8);
    for (int swaps = random.Integer(1, 4); swaps > 0; --swaps) {
      auto& rank = schedule.actions[static_cast<size_t>(random.Integer(0, 3))];
      const auto at = static_cast<size_t>(random.Integer(0, static_cast<int>(rank.size()) - 2));
      std::swap(rank[at], rank[at + 1]);
    }
    const auto findings = Check(schedule);
    ASSERT_EQ(findings.empty(), Prepare(schedule).has_value());
    sound += findings.empty();
    if (!findings.empty() && findings.front().kind == FindingKind::kDeadlock) {
      ++stuck;
      ASSERT_THAT(findings.front().message, testing::HasSubstr("wait for each other"));
    }
  }
  EXPECT_GT(sound, 100);
  EXPECT_GT(stuck, 50);
}

}  // namespace
}  // namespace pipescope::schedules
