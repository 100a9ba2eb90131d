// The native engine against SimGrid, on random small platforms.
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace pipescope::flow
