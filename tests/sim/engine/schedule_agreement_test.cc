// Where an action is one task that needs no resource, fidelities `op` and `schedule` are the same
// model: every start and end agrees to the picosecond.
#include <random>

#include "schedules/evaluate.h"
#include "schedules/registry.h"
#include "sim/engine/engine.h"
#include "tests/sim/testing.h"

namespace pipescope {
namespace {

using schedules::CostList;

schedules::Costs RandomCosts(std::mt19937& random, int stages, bool with_hops) {
  const auto list = [&](int least) {
    CostList costs;
    for (int s = 0; s < stages; ++s)
      costs.push_back(least + static_cast<int>(random() % 1'000'000));
    return costs;
  };
  schedules::Costs costs;
  costs.forward = list(1);
  costs.input_grad = list(1);
  costs.weight_grad = list(0);
  if (random() % 2 == 0) costs.overlapped = list(1000);
  costs.comm = with_hops ? 1 + static_cast<int>(random() % 100'000) : 0;
  return costs;
}

Duration Ps(double ps) { return Duration(static_cast<int64_t>(ps)); }

TaskGraph GraphOf(const schedules::Schedule& schedule, const schedules::Prepared& prepared,
                  const schedules::Costs& costs) {
  TaskGraph g;
  g.ranks = schedule.ranks;
  g.capacity = {1, 1, 1, 1};
  const int32_t hop = AddTemplate(g, Ps(costs.comm));
  for (size_t r = 0; r < schedule.actions.size(); ++r) {
    for (size_t i = 0; i < schedule.actions[r].size(); ++i) {
      const int32_t templ = AddTemplate(g, Ps(costs.Of(schedule.actions[r][i])));
      const int32_t task = AddTask(g, static_cast<int32_t>(r), templ);
      if (i > 0) g.edges.emplace_back(task - 1, task);
    }
  }
  const auto connect = [&](int32_t from, int32_t to) {
    if (from < 0) return;
    const int32_t message = AddTask(g, g.tasks[static_cast<size_t>(from)].rank, hop, {from});
    g.edges.emplace_back(message, to);
  };
  for (size_t id = 0; id < prepared.flow.needs.size(); ++id) {
    connect(prepared.flow.needs[id].forward, static_cast<int32_t>(id));
    connect(prepared.flow.needs[id].backward, static_cast<int32_t>(id));
  }
  return g;
}

TEST(ScheduleAgreement, EveryStartAndEndIsTheSame) {
  std::mt19937 random(7);
  int64_t compared = 0;
  for (const schedules::Family& family : schedules::Families()) {
    for (const int ranks : {1, 2, 4, 6, 8}) {
      for (const int microbatches : {ranks, 2 * ranks, 3 * ranks + 2}) {
        const auto schedule = Generate(family, {ranks, microbatches, {}});
        if (!schedule) continue;
        const auto prepared = Must(Prepare(*schedule));
        for (const bool with_hops : {false, true}) {
          const auto costs = RandomCosts(random, schedule->stages, with_hops);
          const auto timing = Evaluate(prepared, costs);
          const TaskTimes times = RunFluid(GraphOf(*schedule, prepared, costs));
          for (size_t id = 0; id < timing.start.size(); ++id, ++compared) {
            ASSERT_EQ(times.start[id], Ps(timing.start[id])) << family.name << " " << ranks;
            ASSERT_EQ(times.end[id], Ps(timing.end[id])) << family.name << " " << ranks;
          }
        }
      }
    }
  }
  EXPECT_GT(compared, 10'000);
}

}  // namespace
}  // namespace pipescope
