// Turns on shared processors: by hand, and what any list of turns must keep to, on random graphs.
#include "sim/engine/turns.h"

#include <algorithm>
#include <random>

#include "tests/sim/testing.h"

namespace pipescope {
namespace {

constexpr auto kProcessors = static_cast<size_t>(Resource::kProcessors);

Duration Ps(int64_t ps) { return Duration(ps); }

TaskGraph Graph(int ranks, int processors) {
  TaskGraph g;
  g.ranks = ranks;
  g.capacity[kProcessors] = processors;
  return g;
}

int32_t AddWork(TaskGraph& g, int rank, int64_t ps, std::vector<int32_t> after = {}) {
  return AddTask(g, rank, AddTemplate(g, Ps(ps), {0, 0, 0, 0, 1}), std::move(after));
}
int32_t AddPause(TaskGraph& g, int rank, int64_t ps, std::vector<int32_t> after = {}) {
  return AddTask(g, rank, AddTemplate(g, Ps(ps)), std::move(after));
}

std::vector<int64_t> Starts(const TaskTimes& times) {
  std::vector<int64_t> starts;
  for (const Duration start : times.start) starts.push_back(start.picoseconds());
  return starts;
}

TEST(Turns, OfThreeRanksOnOneProcessor) {
  TaskGraph g = Graph(3, 1);
  for (int rank = 0; rank < 3; ++rank) AddWork(g, rank, 1, {AddWork(g, rank, 1)});
  // A1 A2 B1 B2 C1 C2, as they were added
  EXPECT_THAT(Starts(RunByTurns(g)), testing::ElementsAre(0, 3, 1, 4, 2, 5));
}

TEST(Turns, AShortTaskEndsBeforeALongOneBegins) {
  TaskGraph g = Graph(2, 1);
  AddWork(g, 0, 1);
  AddWork(g, 1, 2);
  EXPECT_EQ(RunByTurns(g).end[0], Ps(1));
  EXPECT_EQ(RunFluid(g).end[0], Ps(2));
  EXPECT_EQ(RunByTurns(g).end[1], RunFluid(g).end[1]);
}

// Rank 0's end makes rank 1 ready, which goes before rank 0's own next task.
TEST(Turns, WhoWasMadeReadyGoesBeforeTheOneThatMadeItSo) {
  TaskGraph g = Graph(2, 1);
  const int32_t first = AddWork(g, 0, 5);
  AddWork(g, 0, 5, {first});
  AddWork(g, 1, 1, {first});
  EXPECT_THAT(Starts(RunByTurns(g)), testing::ElementsAre(0, 6, 5));
}

// The same by a message that takes no time, and by one that does after it.
TEST(Turns, AMessageThatTakesNoTimeIsThereAtOnce) {
  for (const int64_t latency : {0, 1}) {
    TaskGraph g = Graph(2, 1);
    const int32_t first = AddWork(g, 0, 5);
    AddWork(g, 0, 5, {first});
    AddWork(g, 1, 1, {AddPause(g, 0, latency, {AddPause(g, 0, 0, {first})})});
    const TaskTimes times = RunByTurns(g);
    EXPECT_EQ(times.start.back(), Ps(latency == 0 ? 5 : 10));
    EXPECT_EQ(times.start[1], Ps(latency == 0 ? 6 : 5));
  }
}

// Waking takes time on a processor that was idle; one that goes on takes none.
TEST(Turns, AnIdleProcessorTakesAWhileToWake) {
  TaskGraph g = Graph(2, 2);
  const int32_t first = AddWork(g, 0, 10);
  AddWork(g, 0, 10, {first});
  AddWork(g, 1, 10, {first});
  EXPECT_THAT(Starts(RunByTurns(g, Ps(3))), testing::ElementsAre(3, 13, 16));
}

TEST(Turns, WhatNeedsNoProcessorWaitsForNone) {
  TaskGraph g = Graph(2, 1);
  const int32_t work = AddWork(g, 0, 10);
  const int32_t message = AddPause(g, 0, 4, {work});
  AddWork(g, 0, 10, {work});
  AddWork(g, 1, 1, {message});
  const TaskTimes times = RunByTurns(g);
  EXPECT_THAT(Starts(times), testing::ElementsAre(0, 10, 10, 20));
  EXPECT_THAT(times.released_by, testing::ElementsAre(-1, work, work, message));
}

TEST(Turns, ATaskOfARateTakesAsMuchLonger) {
  TaskGraph g = Graph(1, 1);
  AddTask(g, 0, AddTemplate(g, Ps(100), {0, 0, 0, 0, 1.25}));
  EXPECT_EQ(RunByTurns(g).end[0], Ps(125));
}

// Random chains on ranks that wait for each other.
TaskGraph Random(std::mt19937& random, int processors) {
  const int ranks = 1 + static_cast<int>(random() % 6);
  TaskGraph g = Graph(ranks, processors);
  std::vector<int32_t> last(static_cast<size_t>(ranks), -1);
  for (int i = 0; i < 60; ++i) {
    const auto rank = random() % static_cast<size_t>(ranks);
    std::vector<int32_t> after;
    if (last[rank] >= 0) after.push_back(last[rank]);
    if (i > 0 && random() % 3 == 0)
      after.push_back(static_cast<int32_t>(random() % static_cast<size_t>(i)));
    const auto time = static_cast<int64_t>(1 + random() % 50);
    const bool works = random() % 5 > 0;
    std::sort(after.begin(), after.end());
    after.erase(std::unique(after.begin(), after.end()), after.end());
    const int on = static_cast<int>(rank);
    const int64_t pause = random() % 2 == 0 ? 0 : time;
    last[rank] = works ? AddWork(g, on, time, after) : AddPause(g, on, pause, after);
  }
  return g;
}

struct Checked {
  const TaskGraph& graph;
  const TaskTimes& times;

  bool Works(size_t task) const {
    return graph.templates[static_cast<size_t>(graph.tasks[task].templ)].rates[kProcessors] > 0;
  }
  Duration Ready(size_t task) const {
    Duration ready;
    for (const auto& [before, after] : graph.edges) {
      if (after == static_cast<int32_t>(task)) {
        ready = std::max(ready, times.end[static_cast<size_t>(before)]);
      }
    }
    return ready;
  }
  int WorkingAt(Duration time) const {
    int count = 0;
    for (size_t t = 0; t < times.start.size(); ++t) {
      count += Works(t) && times.start[t] <= time && time < times.end[t] ? 1 : 0;
    }
    return count;
  }
};

TEST(Turns, NoProcessorIsIdleWhileATaskIsReadyAndNoneOvertakes) {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    SCOPED_TRACE(round);
    const int processors = 1 + round % 3;
    const TaskGraph g = Random(random, processors);
    const TaskTimes times = RunByTurns(g);
    const Checked checked{g, times};
    for (size_t t = 0; t < g.tasks.size(); ++t) {
      const Duration ready = checked.Ready(t);
      ASSERT_GE(times.start[t], ready);
      if (!checked.Works(t)) {
        ASSERT_EQ(times.start[t], ready);
        continue;
      }
      ASSERT_LE(checked.WorkingAt(times.start[t]), processors);
      // All were busy until it started.
      for (Duration at = ready; at < times.start[t]; at += Ps(1)) {
        ASSERT_EQ(checked.WorkingAt(at), processors);
      }
      for (size_t other = 0; other < g.tasks.size(); ++other) {
        if (checked.Works(other) && checked.Ready(other) < ready) {
          ASSERT_LE(times.start[other], times.start[t]);
        }
      }
    }
  }
}

TEST(Turns, WithAProcessorForEachTaskNothingIsShared) {
  std::mt19937 random(6);
  for (int round = 0; round < 50; ++round) {
    const TaskGraph g = Random(random, 60);
    EXPECT_EQ(RunByTurns(g).end, RunFluid(g).end);
  }
}

}  // namespace
}  // namespace pipescope
