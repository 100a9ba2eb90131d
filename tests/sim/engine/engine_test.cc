// Tasks by hand: alone, in chains, sharing a resource.
#include "sim/engine/engine.h"

#include "tests/sim/testing.h"

namespace pipescope {
namespace {

TaskGraph Graph(int ranks) {
  TaskGraph g;
  g.ranks = ranks;
  g.capacity = {100, 100, 100, 100, 2};
  return g;
}

Duration Ps(int64_t ps) { return Duration(ps); }

TEST(Engine, OneTaskTakesItsTime) {
  TaskGraph g = Graph(1);
  AddTask(g, 0, AddTemplate(g, Ps(7)));
  const TaskTimes times = RunFluid(g);
  EXPECT_EQ(times.start[0], Ps(0));
  EXPECT_EQ(times.end[0], Ps(7));
  EXPECT_EQ(times.released_by[0], -1);
}

TEST(Engine, NothingToDoIsNoError) { EXPECT_TRUE(RunFluid(Graph(1)).end.empty()); }

TEST(Engine, AChainAddsUpAndRemembersWhoReleased) {
  TaskGraph g = Graph(1);
  const int32_t a = AddTask(g, 0, AddTemplate(g, Ps(5)));
  const int32_t b = AddTask(g, 0, AddTemplate(g, Ps(0)), {a});
  const int32_t c = AddTask(g, 0, AddTemplate(g, Ps(11)), {a, b});
  const TaskTimes times = RunFluid(g);
  EXPECT_EQ(times.end[static_cast<size_t>(c)], Ps(16));
  EXPECT_THAT(times.released_by, testing::ElementsAre(-1, a, b));
}

TEST(Engine, TheLastOfSeveralReleases) {
  TaskGraph g = Graph(2);
  const int32_t slow = AddTask(g, 0, AddTemplate(g, Ps(50)));
  const int32_t fast = AddTask(g, 1, AddTemplate(g, Ps(3)));
  const int32_t both = AddTask(g, 0, AddTemplate(g, Ps(1)), {slow, fast});
  const TaskTimes times = RunFluid(g);
  EXPECT_EQ(times.released_by[static_cast<size_t>(both)], slow);
  EXPECT_EQ(times.start[static_cast<size_t>(both)], Ps(50));
}

TEST(Engine, TwoMessagesOnOneNicRunAtHalfSpeed) {
  TaskGraph g = Graph(1);
  const int32_t message = AddTemplate(g, Ps(1000), {0, 0, 100, 0});
  AddTask(g, 0, message);
  AddTask(g, 0, message);
  const TaskTimes times = RunFluid(g);
  EXPECT_EQ(times.end[0], Ps(2000));
  EXPECT_EQ(times.end[1], Ps(2000));
}

// R tasks of one processor each on C of them: all end at t max(1, R / C), whatever their ranks.
TEST(Engine, RanksShareTheProcessors) {
  for (const int ranks : {1, 2, 3, 7, 16}) {
    TaskGraph g = Graph(ranks);
    const int32_t work = AddTemplate(g, Ps(1200), {0, 0, 0, 0, 1});
    for (int r = 0; r < ranks; ++r) AddTask(g, r, work);
    for (const Duration end : RunFluid(g).end) {
      EXPECT_NEAR(static_cast<double>(end.picoseconds()), 1200 * std::max(1.0, ranks / 2.0), 1);
    }
  }
}

// Three ranks on two processors, of 600, 600 and 1200: the short ones end at 900 at a speed of 2/3;
// the long one has run 600 by then and needs as much again, alone.
TEST(Engine, WhoIsLeftHasAProcessorOfItsOwn) {
  TaskGraph g = Graph(3);
  const int32_t brief = AddTemplate(g, Ps(600), {0, 0, 0, 0, 1});
  AddTask(g, 0, brief);
  AddTask(g, 1, brief);
  AddTask(g, 2, AddTemplate(g, Ps(1200), {0, 0, 0, 0, 1}));
  const TaskTimes times = RunFluid(g);
  EXPECT_EQ(times.end[0], Ps(900));
  EXPECT_EQ(times.end[2], Ps(1500));
}

TEST(Engine, ALateComerSlowsDownTheRest) {
  // b comes when half of a is done; they share until a ends, then b is alone again.
  TaskGraph g = Graph(1);
  const int32_t message = AddTemplate(g, Ps(1000), {0, 0, 100, 0});
  AddTask(g, 0, message);
  const int32_t wait = AddTask(g, 0, AddTemplate(g, Ps(500)));
  AddTask(g, 0, message, {wait});
  const TaskTimes times = RunFluid(g);
  EXPECT_EQ(times.end[0], Ps(1500));
  EXPECT_EQ(times.end[2], Ps(2000));
}

TEST(Engine, AMessageTakesItsPeersNicIn) {
  TaskGraph g = Graph(3);
  const int32_t message = AddTemplate(g, Ps(1000), {0, 0, 100, 100});
  for (const int32_t from : {0, 1}) {
    const int32_t task = AddTask(g, from, message);
    g.tasks[static_cast<size_t>(task)].peer = 2;
  }
  EXPECT_EQ(RunFluid(g).end[0], Ps(2000));  // both go into rank 2
  g.tasks[1].peer = 0;
  EXPECT_EQ(RunFluid(g).end[0], Ps(1000));
}

// Resource 0: a and b; resource 1: b and c. b is held at 0.4 by resource 0, so c gets 0.6 of 100.
TEST(Engine, SharesAreMaxMinFair) {
  TaskGraph g = Graph(1);
  g.capacity = {80, 100, 100, 100};
  AddTask(g, 0, AddTemplate(g, Ps(1000), {100, 0, 0, 0}));
  AddTask(g, 0, AddTemplate(g, Ps(1000), {100, 100, 0, 0}));
  AddTask(g, 0, AddTemplate(g, Ps(600), {0, 100, 0, 0}));
  const TaskTimes times = RunFluid(g);
  EXPECT_EQ(times.end[2], Ps(1000));
  EXPECT_EQ(times.end[0], Ps(2500));
}

TEST(Engine, DemandsWithinCapacityDoNotSlow) {
  TaskGraph g = Graph(1);
  const int32_t half = AddTemplate(g, Ps(777), {50, 50, 50, 50});
  AddTask(g, 0, half);
  AddTask(g, 0, half);
  EXPECT_EQ(RunFluid(g).end[1], Ps(777));
}

TEST(EngineDeathTest, ACircleAborts) {
  TaskGraph g = Graph(1);
  const int32_t templ = AddTemplate(g, Ps(1));
  AddTask(g, 0, templ);
  AddTask(g, 0, templ, {0});
  g.edges.emplace_back(1, 0);
  EXPECT_DEATH(RunFluid(g), "broken invariant");
}

}  // namespace
}  // namespace pipescope
