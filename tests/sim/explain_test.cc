// What a slower step is put down to, where the reason is known.
#include "sim/result/explain.h"

#include "sim/result/baseline.h"
#include "sim/simulate.h"
#include "tests/sim/testing.h"

namespace pipescope {
namespace {

using testing::HasSubstr;

// 30 layers on 8 stages, one moved: `heavy` has five, `light` three.
StepResult Step(int heavy, int light, const char* schedule) {
  std::string layout = "E";
  for (int s = 0; s < 8; ++s) {
    const int even = s == 0 || s == 7 ? 3 : 4;
    layout += std::string(static_cast<size_t>(even + (s == heavy) - (s == light)), 't');
    layout += s == 7 ? "L" : "|";
  }
  Experiment e = Must(LoadExperiment("experiments/published/zero_bubble_6_2b.yaml"));
  e.layouts = {layout};
  return Must(Simulate(e, schedule));
}

// Every rank waits for the stage that grew, by however many others.
TEST(Explain, FollowsWaitsToTheStageThatGrew) {
  const Fingerprint before = FingerprintOf(Step(-1, -1, "1f1b"));
  for (const int heavy : {2, 5}) {
    const auto reasons = ExplainSlower(before, Step(heavy, 0, "1f1b"));
    ASSERT_EQ(reasons.size(), 2u);
    const std::string rank = std::to_string(heavy);
    for (const std::string& reason : reasons) {
      EXPECT_THAT(reason, HasSubstr("ctions " + rank)) << "heavy " << heavy;
    }
    EXPECT_THAT(reasons[0] + reasons[1], HasSubstr("rank " + rank + ": works "));
  }
}

TEST(Explain, SaysNothingWhereNothingGrew) {
  const StepResult step = Step(-1, -1, "zb-h1");
  EXPECT_TRUE(ExplainSlower(FingerprintOf(step), step).empty());
  EXPECT_TRUE(ExplainFuller(FingerprintOf(step), step).empty());
  EXPECT_TRUE(ExplainSlower({}, step).empty());
}

TEST(Explain, AnotherNumberOfRanksIsNotCompared) {
  const StepResult step = Step(-1, -1, "1f1b");
  EXPECT_THAT(ExplainSlower(Fingerprint(3), step),
              testing::ElementsAre(HasSubstr("remembers 3 ranks, the step has 8")));
}

// Nothing is left out: a rank's waits are its bubble.
TEST(Fingerprint, WaitsAddUpToTheBubble) {
  for (const char* schedule : {"1f1b", "zb-h2", "gpipe"}) {
    for (const RankPrint& rank : FingerprintOf(Step(4, 7, schedule))) {
      double sum = 0;
      for (const auto& [wait, seconds] : rank.waits_s) sum += seconds;
      EXPECT_NEAR(sum, rank.bubble_s, 1e-9);
    }
  }
}

}  // namespace
}  // namespace pipescope
