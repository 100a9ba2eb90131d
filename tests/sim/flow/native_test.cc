// The native engine against closed forms and against a second solver.
#include <gtest/gtest.h>

#include "sim/flow/native_engine.h"
#include "tests/sim/flow/testing.h"

namespace pipescope::flow {
namespace {

TEST(NativeEngine, AgreesWithPlainWaterFilling) {
  for (uint64_t seed = 0; seed < 5000; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const Plan plan = RandomPlan(RandomRecipe(seed), seed);
    ExpectEnds(Reference(plan), RunNative(plan), 1e-9, Duration(500));
    if (HasFailure()) break;
  }
}

TEST(NativeEngine, FoldingChangesNoTime) {
  for (uint64_t seed = 0; seed < 5000; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Recipe recipe = RandomRecipe(seed);
    recipe.equal = true;
    recipe.links = 2 + static_cast<int>(seed % 4);
    const std::vector<Duration> folded = RunNative(RandomPlan(recipe, seed));
    const std::vector<Duration> single = RunNative(RandomPlan(recipe, seed, Pattern::Fold::kNo));
    ASSERT_EQ(folded.size(), single.size());
    for (size_t f = 0; f < folded.size(); ++f) {
      EXPECT_NEAR(static_cast<double>(folded[f].picoseconds()),
                  static_cast<double>(single[f].picoseconds()),
                  1 + 1e-11 * folded[f].seconds() * 1e12);
    }
    if (HasFailure()) break;
  }
}

TEST(NativeEngine, AllToAllTakesWhatItsNicTakes) {
  for (const int n : {2, 3, 8, 64}) {
    for (const auto fold : {Pattern::Fold::kYes, Pattern::Fold::kNo}) {
      const auto ends = RunNative(AllToAll(n, Bytes(1'000'000), GigabytesPerSecond(50), fold));
      for (const Duration end : ends) EXPECT_EQ(end, Microseconds(20.0 * (n - 1)));
    }
  }
}

}  // namespace
}  // namespace pipescope::flow
