// The automatic families and the overlapped search against the hand-made orders.
#include "schedules/check.h"
#include "schedules/optimize/placed_heuristic.h"
#include "schedules/optimize/placed_time.h"
#include "schedules/optimize/search.h"
#include "schedules/optimize/stretch.h"
#include "schedules/optimize/waves.h"
#include "tests/schedules/placed_testing.h"

namespace pipescope::schedules {
namespace {

Schedule Auto(const std::string& name, int ranks, int microbatches, const Profile& profile) {
  Options options{ranks, microbatches};
  options.profile = profile;
  auto made = Generate(name, options);
  EXPECT_TRUE(made) << made.error().message;
  return *std::move(made);
}

TEST(Automatic, NeverLongerThanHandMadeOnesThatFit) {
  RandomProblems random(15);
  int fitted = 0;
  for (int i = 0; i < 200; ++i) {
    const bool v = i % 2 == 0;
    const int ranks = random.Integer(1, 8), microbatches = random.Integer(1, 20);
    const int stages = v ? 2 * ranks : ranks;
    Profile profile = random.Make(ranks, stages);
    profile.memory = {{1, -0.5, -0.5}};
    const double wide = v ? 1.0 : 2.0 - 1.0 / ranks;  // of zbv, zb-h2
    const double limit = random.Integer(0, 1) == 0 ? ranks : std::max(1.0, wide * ranks);
    profile.limit = {v ? 2 * limit : limit};
    const Schedule made = Auto(v ? "zbv-auto" : "zb-auto", ranks, microbatches, profile);
    ASSERT_TRUE(Check(made).empty());
    ASSERT_EQ(Auto(made.name, ranks, microbatches, profile).actions, made.actions);
    const auto problem =
        MakePlaced(profile, ranks, microbatches, v ? Placement::kV : Placement::kLinear, false);
    ASSERT_TRUE(problem);
    for (size_t r = 0; r < made.actions.size(); ++r) {
      ASSERT_LE(PeakOf(*problem, made.actions[r]), problem->limit[r] * (1 + 1e-6));
    }
    for (const char* name : {"1f1b", "zb-h1", "zb-h2", "zbv", "v-half", "v-min", "1f1b-v"}) {
      const auto other = Generate(name, {ranks, microbatches});
      if (!other || other->stages != stages || !StepsOf(*problem, *other)) continue;
      ASSERT_LE(ValueOf(*problem, made), ValueOf(*problem, *other) * (1 + 1e-12)) << name;
      ++fitted;
    }
  }
  EXPECT_GT(fitted, 300);
}

// A limit that holds ZB-H1 or ZB-H2 (or ZB-V) finds at least them.
TEST(Automatic, LimitsOfTheHandMadeOnes) {
  const auto holds = [](const std::string& name, int ranks, int microbatches, double limit,
                        Placement placement) {
    Profile profile;
    profile.limit = {limit};
    const auto problem = MakePlaced(profile, ranks, microbatches, placement, false);
    return problem && StepsOf(*problem, MakeSchedule(name, ranks, microbatches)).has_value();
  };
  for (const int ranks : {2, 4, 7}) {
    EXPECT_TRUE(holds("zb-h1", ranks, 3 * ranks, ranks, Placement::kLinear));
    EXPECT_TRUE(holds("zb-h2", ranks, 3 * ranks, 2 * ranks - 1, Placement::kLinear));
    EXPECT_TRUE(holds("zbv", ranks, 3 * ranks, 2 * ranks, Placement::kV));
    EXPECT_FALSE(holds("zb-h2", ranks, 3 * ranks, ranks, Placement::kLinear));
  }
}

// The public automatic ZB-V: F = I = W, 8 or 16 chunks, no rank waits once begun.
TEST(Automatic, ZbvReachesThePublicVectors) {
  for (const auto& [ranks, microbatches] : {std::pair{4, 12}, std::pair{8, 24}}) {
    const Schedule made = MakeSchedule("zbv-auto", ranks, microbatches);
    EXPECT_EQ(Time(made, UniformCosts(1, 1, 1)).span, 6 * microbatches);
  }
}

TEST(Waves, TheExampleOfOneRank) {
  Profile profile;
  profile.limit = {2};
  const auto problem = MakePlaced(profile, 1, 1, Placement::kV, false);
  ASSERT_TRUE(problem);
  const Steps steps = {{ActionKind::kForward, 0},    {ActionKind::kForward, 1},
                       {ActionKind::kInputGrad, 1},  {ActionKind::kInputGrad, 0},
                       {ActionKind::kWeightGrad, 1}, {ActionKind::kWeightGrad, 0}};
  EXPECT_EQ(OrderByWaves(*problem, {}), StepOrder{steps});
}

// With the memory of ZB-V the waves end within it for almost any costs; where not, that is seen.
TEST(Waves, AreSoundWithTheMemoryOfZbv) {
  RandomProblems random(17);
  int complete = 0;
  for (int i = 0; i < 400; ++i) {
    const int ranks = random.Integer(1, 8), microbatches = random.Integer(1, 24);
    Profile profile = random.Make(ranks, 2 * ranks);
    profile.memory = {{1, -0.5, -0.5}};
    profile.limit = {2.0 * ranks + random.Integer(0, 2 * ranks)};
    const auto problem = MakePlaced(profile, ranks, microbatches, Placement::kV, false);
    ASSERT_TRUE(problem);
    const WaveSwitches switches{random.Integer(0, 1) == 0, random.Integer(0, 1) == 0,
                                random.Integer(5, 10) / 10.0, random.Integer(0, 4) / 4.0};
    const StepOrder order = OrderByWaves(*problem, switches);
    ASSERT_EQ(OrderByWaves(*problem, switches), order);
    bool fits = true;
    for (int r = 0; r < ranks; ++r) {
      fits = fits && Fits(*problem, r, order[static_cast<size_t>(r)]);
    }
    if (!fits) continue;
    ++complete;
    const double value = PlacedTime(*problem)(order);
    ASSERT_NO_FATAL_FAILURE(ExpectSound(*problem, {order, value, ToString(switches), 1}));
  }
  EXPECT_GE(complete, 390);
}

// Where a pair saves nothing DualPipe is what the search starts from; never worse.
TEST(Overlap, NeverLongerThanDualPipe) {
  RandomProblems random(16);
  int shorter = 0, tried = 0;
  for (int i = 0; i < 40; ++i) {
    const bool v = i % 2 == 0;
    const int ranks = v ? random.Integer(1, 3) : 2 * random.Integer(1, 3);
    const int microbatches = 2 * ranks + 2 * random.Integer(0, 4);
    const int stages = v ? 2 * ranks : ranks;
    Profile profile = random.Make(ranks, stages);
    profile.memory = {{1, -0.5, -0.5}};
    profile.limit = {(v ? 2.0 : 1.0) * ranks + 1};
    const auto problem = MakePlaced(profile, ranks, microbatches,
                                    v ? Placement::kV : Placement::kBidirectional, true);
    ASSERT_TRUE(problem);
    const Schedule known = MakeSchedule(v ? "dualpipev" : "dualpipe", ranks, microbatches);
    ASSERT_TRUE(StepsOf(*problem, known));
    const Placed found =
        Search(*problem, PlacedHeuristic(*problem, {known}), LowerBound(*problem), 1000);
    ASSERT_NO_FATAL_FAILURE(ExpectSound(*problem, found));
    ASSERT_LE(found.value, ValueOf(*problem, known) * (1 + 1e-12));
    shorter += found.value < ValueOf(*problem, known) * (1 - 1e-9);
    ++tried;
  }
  EXPECT_EQ(tried, 40);
  EXPECT_GT(shorter, 20);
}

// DualPipe's order for few micro-batches, stretched, is DualPipe's for many.
TEST(Stretch, DualPipeOfAnyLength) {
  for (const auto& [name, placement] :
       {std::pair{"dualpipe", Placement::kBidirectional}, std::pair{"dualpipev", Placement::kV}}) {
    Profile profile;
    profile.limit = {10};
    const auto few = MakePlaced(profile, 4, 16, placement, true);
    const auto many = MakePlaced(profile, 4, 40, placement, true);
    ASSERT_TRUE(few && many);
    const auto order = StepsOf(*few, MakeSchedule(name, 4, 16));
    ASSERT_TRUE(order);
    const auto longer = Stretch(*many, 16, *order);
    ASSERT_TRUE(longer) << name;
    EXPECT_EQ(ToSchedule(*many, *longer, name).actions, MakeSchedule(name, 4, 40).actions);
    EXPECT_EQ(Stretch(*few, 16, *order), order);
  }
}

// GPipe does nothing twice in a row; its last F and first B are a round that stands once.
TEST(Stretch, ARoundThatStandsOnce) {
  Profile profile;
  profile.limit = {4};
  const auto few = MakePlaced(profile, 2, 4, Placement::kLinear, false);
  const auto many = MakePlaced(profile, 2, 8, Placement::kLinear, false);
  ASSERT_TRUE(few && many);
  const auto order = StepsOf(*few, MakeSchedule("gpipe", 2, 4));
  ASSERT_TRUE(order);
  const auto longer = Stretch(*many, 4, *order);
  ASSERT_TRUE(longer);
  ExpectSound(*many, {*longer, PlacedTime(*many)(*longer), "stretched", 1});
  EXPECT_FALSE(StepsOf(*many, MakeSchedule("gpipe", 2, 8)));  // more than the limit holds
}

}  // namespace
}  // namespace pipescope::schedules
