// Orders for any placement: what must hold of every one, and what they are measured against.
#include <cmath>
#include <functional>
#include <limits>

#include "schedules/optimize/exact.h"
#include "schedules/optimize/placed_heuristic.h"
#include "schedules/optimize/placed_time.h"
#include "schedules/optimize/search.h"
#include "tests/schedules/placed_testing.h"

namespace pipescope::schedules {
namespace {

TEST(Placed, HeuristicAndSearchAreSoundAndRepeat) {
  RandomProblems random(11);
  int shorter = 0;
  for (int i = 0; i < 300; ++i) {
    const PlacedProblem problem = random.Problem(6, 10);
    const Placed start = PlacedHeuristic(problem, {});
    ASSERT_NO_FATAL_FAILURE(ExpectSound(problem, start));
    const Placed found = Search(problem, start, LowerBound(problem), 400);
    ASSERT_NO_FATAL_FAILURE(ExpectSound(problem, found));
    ASSERT_LE(found.value, start.value);
    ASSERT_EQ(PlacedHeuristic(problem, {}).order, start.order);
    ASSERT_EQ(Search(problem, start, LowerBound(problem), 400).order, found.order);
    shorter += found.value < start.value;
  }
  EXPECT_GT(shorter, 50);
}

// Every order of a tiny problem: each rank's legal lists, all combined.
class BruteForce {
 public:
  explicit BruteForce(const PlacedProblem& problem) : problem_(problem), time_(problem) {
    for (int r = 0; r < problem.ranks; ++r) {
      lists_.emplace_back();
      Steps steps;
      Extend(r, steps);
    }
  }

  double Least() {
    StepOrder order(lists_.size());
    double least = std::numeric_limits<double>::infinity();
    const std::function<void(size_t)> choose = [&](size_t r) {
      if (r == lists_.size()) {
        least = std::min(least, time_(order));
        return;
      }
      for (const Steps& steps : lists_[r]) {
        order[r] = steps;
        choose(r + 1);
      }
    };
    choose(0);
    return least;
  }

 private:
  void Extend(int rank, Steps& steps) {
    int count[5][2] = {};
    for (const Step step : steps) {
      const auto other = static_cast<size_t>(1 - step.slot);
      if (step.kind != ActionKind::kOverlapped) {
        ++count[static_cast<size_t>(step.kind)][step.slot];
      } else {
        ++count[0][step.slot];
        ++count[3][other];
      }
    }
    const int m = problem_.of_slot();
    const int total = problem_.slots() * m;
    const int backwards = count[1][0] + count[1][1] + count[3][0] + count[3][1];
    if (backwards == total && count[2][0] == count[1][0] && count[2][1] == count[1][1]) {
      if (Fits(problem_, rank, steps)) lists_.back().push_back(steps);
      return;
    }
    const auto go_on = [&](ActionKind kind, size_t slot) {
      steps.push_back({kind, static_cast<uint8_t>(slot)});
      Extend(rank, steps);
      steps.pop_back();
    };
    for (size_t s = 0; s < static_cast<size_t>(problem_.slots()); ++s) {
      const auto ready = [&](size_t of) { return count[1][of] + count[3][of] < count[0][of]; };
      if (count[0][s] < m) go_on(ActionKind::kForward, s);
      if (ready(s)) go_on(ActionKind::kInputGrad, s);
      if (ready(s)) go_on(ActionKind::kBackward, s);
      if (count[2][s] < count[1][s]) go_on(ActionKind::kWeightGrad, s);
      if (problem_.pairs && count[0][s] < m && ready(1 - s)) go_on(ActionKind::kOverlapped, s);
    }
  }

  const PlacedProblem& problem_;
  PlacedTime time_;
  std::vector<std::vector<Steps>> lists_;
};

Profile Classic(RandomProblems& random, int ranks) {
  Profile profile;
  profile.costs = {.forward = random.List(ranks),
                   .input_grad = random.List(ranks),
                   .weight_grad = random.List(ranks)};
  profile.costs.comm = random.Integer(0, 8) / 8.0;
  profile.limit = {random.Integer(2, 2 * ranks + 2) / 2.0};
  return profile;
}

// Nothing that makes orders beats all orders there are, and the mixed-integer program equals them.
TEST(Placed, BruteForceIsTheLeastAndTheProgramFindsIt) {
  RandomProblems random(12);
  for (int i = 0; i < 25; ++i) {
    const auto problem = MakePlaced(Classic(random, 2), 2, 2, Placement::kLinear, false);
    ASSERT_TRUE(problem);
    const double least = BruteForce(*problem).Least();
    const Placed start = PlacedHeuristic(*problem, {});
    const Placed found = Search(*problem, start, LowerBound(*problem), 2000);
    ASSERT_GE(found.value, least * (1 - 1e-9));
    const auto linear = LinearOf(*problem);
    ASSERT_TRUE(linear);
    const auto exact = SolveExactly(*linear, LinearOf(*linear, found), 60);
    ASSERT_TRUE(exact);
    ASSERT_TRUE(exact->proven);
    ASSERT_NEAR(exact->best.span, least, 1e-5 * least);
  }
}

TEST(Placed, BruteForceOverPairsIsNeverBeaten) {
  RandomProblems random(13);
  int reached = 0;
  for (int i = 0; i < 30; ++i) {
    const auto placement = i % 2 == 0 ? Placement::kV : Placement::kBidirectional;
    const int ranks = i % 2 == 0 ? 1 : 2;
    const auto problem = MakePlaced(random.Make(ranks, 2), ranks, 2, placement, true);
    ASSERT_TRUE(problem);
    const double least = BruteForce(*problem).Least();
    const Placed found =
        Search(*problem, PlacedHeuristic(*problem, {}), LowerBound(*problem), 3000);
    ASSERT_GE(found.value, least * (1 - 1e-9));
    reached += found.value <= least * (1 + 1e-9);
  }
  EXPECT_GE(reached, 24);
}

// No family of one stage a rank beats the program where it fits in the same memory.
TEST(Placed, NoFamilyBeatsTheProgram) {
  RandomProblems random(14);
  int compared = 0;
  for (int i = 0; i < 20; ++i) {
    const int ranks = random.Integer(2, 3), microbatches = random.Integer(2, 4);
    const Profile profile = Classic(random, ranks);
    const auto problem = MakePlaced(profile, ranks, microbatches, Placement::kLinear, false);
    ASSERT_TRUE(problem);
    const auto linear = LinearOf(*problem);
    ASSERT_TRUE(linear);
    const Optimized start = LinearOf(*linear, PlacedHeuristic(*problem, {}));
    const auto exact = SolveExactly(*linear, start, 60);
    ASSERT_TRUE(exact);
    for (const Family& family : Families()) {
      Options options{ranks, microbatches};
      if (family.chunks != 1 || family.slices > 0) continue;
      if (family.automatic) options.profile = profile;
      const auto made = Generate(family, options);
      if (!made || made->stages != ranks || !StepsOf(*problem, *made)) continue;
      ASSERT_GE(Time(*made, profile.costs).span, exact->best.span * (1 - 1e-9)) << family.name;
      ++compared;
    }
  }
  EXPECT_GT(compared, 40);
}

TEST(Placed, SaysWhatIsWrong) {
  const auto error = [](const Profile& profile, int ranks, int microbatches, Placement placement) {
    const auto problem = MakePlaced(profile, ranks, microbatches, placement, false);
    return problem ? "no error" : problem.error().message;
  };
  Profile profile;
  profile.limit = {1};
  EXPECT_EQ(error(profile, 2, 4, Placement::kLinear), "no error");
  EXPECT_EQ(error(profile, 2, 4, Placement::kV),
            "--memory-limit 1: rank 0 cannot hold one micro-batch; expected at least 2");
  EXPECT_THAT(error(profile, 3, 4, Placement::kBidirectional), testing::HasSubstr("even"));
  EXPECT_THAT(error(profile, 2, 1 << 20, Placement::kV), testing::HasSubstr("are optimized"));
  profile.limit = {1, 2, 3};
  EXPECT_THAT(error(profile, 2, 4, Placement::kLinear), testing::HasSubstr("3 numbers"));
  profile.limit = {std::nan("")};
  EXPECT_THAT(error(profile, 2, 4, Placement::kLinear), testing::HasSubstr("above 0"));
  profile.limit = {1};
  profile.memory = {{1, -1, -1}};
  EXPECT_THAT(error(profile, 2, 4, Placement::kLinear), testing::HasSubstr("sum 0"));
}

}  // namespace
}  // namespace pipescope::schedules
