// The native engine against SimGrid, on random small platforms.
#include <gtest/gtest.h>

#include <limits>

#include "sim/flow/native_engine.h"
#include "sim/flow/simgrid_engine.h"
#include "tests/sim/flow/testing.h"

namespace pipescope::flow {
namespace {

std::vector<Duration> RunSimGrid(const Plan& plan,
                                 SimGridEngine::Mode mode = SimGridEngine::Mode::kFlows) {
  SimGridEngine engine(plan, mode);
  return RunPlan(plan, engine);
}

// Times are whole picoseconds on both sides: what 1 ns is made of.
void ExpectAgree(const std::vector<Duration>& native, const std::vector<Duration>& simgrid) {
  std::vector<double> seconds;
  for (const Duration end : simgrid) {
    seconds.push_back(end == Duration::Max() ? std::numeric_limits<double>::infinity()
                                             : end.seconds());
  }
  ExpectEnds(seconds, native, 1e-6, Duration(1000));
}

TEST(SimGrid, AgreesOnRandomPlatforms) {
  for (uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Recipe recipe = RandomRecipe(seed);
    recipe.weights = false;
    const Plan plan = RandomPlan(recipe, seed);
    ExpectAgree(RunNative(plan), RunSimGrid(plan));
    if (HasFailure()) break;
  }
}

TEST(SimGrid, AgreesOnAnAllToAll) {
  const Plan plan = AllToAll(64, Bytes(1'000'000), GigabytesPerSecond(50));
  ExpectAgree(RunNative(plan), RunSimGrid(plan));
}

// Groups of different sizes, one after another and side by side, each as one parallel task.
TEST(SimGrid, ParallelTasksEndWithTheFlowsTheyStandFor) {
  const int n = 24;
  Plan plan;
  plan.network.links.assign(2 * n, GigabytesPerSecond(50));
  for (const int size : {8, 4, 2}) {
    for (int first = 0; first < n; first += size) {
      FlowBatch batch;
      for (int32_t from = first; from < first + size; ++from) {
        for (int32_t to = first; to < first + size; ++to) {
          const int32_t route[] = {from, n + to};
          if (from != to) batch.Add(route, Bytes(1'000'000 * size));
        }
      }
      plan.batches.push_back(
          {Milliseconds(10 - size), Pattern::Make(plan.network, std::move(batch))});
    }
  }
  ExpectAgree(RunNative(plan), RunSimGrid(plan, SimGridEngine::Mode::kParallelTasks));
}

TEST(SimGrid, AWeightedFlowIsAParallelTask) {
  Plan plan;
  plan.network.links = {GigabytesPerSecond(10), GigabytesPerSecond(40)};
  FlowBatch batch;
  const int32_t route[] = {0, 1};
  batch.Add(route, Bytes(1'000'000));
  batch.weights = {1, 8};  // held back by the wider link
  plan.batches.push_back({Duration(0), Pattern::Make(plan.network, batch)});
  EXPECT_EQ(RunNative(plan).front(), Microseconds(200));
  ExpectAgree(RunNative(plan), RunSimGrid(plan, SimGridEngine::Mode::kParallelTasks));
}

TEST(SimGrid, IsDrivenAndCancelledLikeTheNativeEngine) {
  Network network = {{GigabytesPerSecond(10)}};
  FlowBatch batch;
  const int32_t route[] = {0};
  for (int i = 0; i < 3; ++i) batch.Add(route, Bytes(1'000'000));
  const auto pattern = Pattern::Make(network, batch);
  NativeEngine native(network);
  SimGridEngine simgrid(network, {pattern});
  for (Engine* engine : {static_cast<Engine*>(&native), static_cast<Engine*>(&simgrid)}) {
    std::vector<Ended> ended;
    EXPECT_EQ(engine->Next(), Duration::Max());
    EXPECT_EQ(engine->Add(pattern), 0);
    EXPECT_NEAR(engine->Next().microseconds(), 300, 1e-3);
    engine->AdvanceTo(Microseconds(150), ended);
    EXPECT_TRUE(ended.empty());
    engine->Cancel(1);  // 0.5 MB each are left, now at 5 GB/s
    EXPECT_NEAR(engine->Next().microseconds(), 250, 1e-3);
    EXPECT_EQ(engine->Add(pattern), 3);
    engine->AdvanceTo(Milliseconds(1), ended);
    int64_t flows = 0;
    for (const Ended& e : ended) flows += e.count;
    EXPECT_EQ(flows, 5);
    EXPECT_NEAR(ended.front().time.microseconds(), 400, 1e-3);  // 150 + 0.5 MB at 10 / 5 GB/s
    EXPECT_NEAR(ended.back().time.microseconds(), 550, 1e-3);   // 4 MB in all since 150 us
    EXPECT_EQ(engine->Next(), Duration::Max());
  }
}

}  // namespace
}  // namespace pipescope::flow
