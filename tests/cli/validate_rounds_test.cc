// How often validate repeats: what warms up, what counts, and when it ends.
#include "cli/validate_rounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace pipescope::cli {
namespace {

using Next = ValidateRounds::Next;

constexpr double kMany = 10 * ValidateRounds::kNewPages, kFew = ValidateRounds::kNewPages / 10;
constexpr size_t kAll = 1000;

TEST(ValidateRounds, WithoutPatienceTheFirstWarmsUpWhateverMemoryIsNew) {
  ValidateRounds rounds(2, 0);
  EXPECT_EQ(rounds.After(kMany, 1, kAll, true), Next::kAgainFromHere);
  EXPECT_EQ(rounds.After(kMany, 2, kAll, false), Next::kAgain);
  EXPECT_EQ(rounds.After(kMany, 3, kAll, false), Next::kEnd);
}

TEST(ValidateRounds, WarmsUpUntilMemoryNoLongerGrows) {
  ValidateRounds rounds(2, 100);
  EXPECT_EQ(rounds.After(kMany, 1, kAll, true), Next::kAgainFromHere);
  EXPECT_EQ(rounds.After(kMany, 2, kAll, true), Next::kAgainFromHere);
  EXPECT_EQ(rounds.After(kFew, 3, kAll, true), Next::kAgain);
  // Memory that grows later is part of what is measured.
  EXPECT_EQ(rounds.After(kMany, 4, kAll, true), Next::kEnd);
}

TEST(ValidateRounds, MemoryThatGrowsAlwaysEndsWarmingUp) {
  ValidateRounds rounds(1, 100);
  for (int i = 0; i < ValidateRounds::kMostWarmUps; ++i) {
    EXPECT_EQ(rounds.After(kMany, 1, kAll, true), Next::kAgainFromHere);
  }
  EXPECT_EQ(rounds.After(kMany, 1, kAll, true), Next::kEnd);
}

TEST(ValidateRounds, RepeatsUntilAllIsKnownOrPatienceEnds) {
  ValidateRounds known(1, 10), unknown(1, 10);
  for (ValidateRounds* rounds : {&known, &unknown}) {
    EXPECT_EQ(rounds->After(kFew, 1, kAll, false), Next::kAgainFromHere);
    EXPECT_EQ(rounds->After(kFew, 2, kAll, false), Next::kAgain);
  }
  EXPECT_EQ(known.After(kFew, 9, kAll, true), Next::kEnd);
  EXPECT_EQ(unknown.After(kFew, 9, kAll, false), Next::kAgain);
  EXPECT_EQ(unknown.After(kFew, 10, kAll, false), Next::kEnd);
}

// Patience that ends while it warms up leaves the repetitions that were asked for.
TEST(ValidateRounds, RepetitionsAreMadeHoweverLongTheyTake) {
  ValidateRounds rounds(3, 10);
  EXPECT_EQ(rounds.After(kMany, 20, kAll, false), Next::kAgainFromHere);
  EXPECT_EQ(rounds.After(kMany, 40, kAll, false), Next::kAgain);
  EXPECT_EQ(rounds.After(kMany, 60, kAll, false), Next::kAgain);
  EXPECT_EQ(rounds.After(kMany, 80, kAll, false), Next::kEnd);
}

// Two of three rounds ran at one speed where three are asked for; in the end at most as many again.
TEST(ValidateRounds, RepetitionsAreOfOneSpeed) {
  ValidateRounds soon(3, 0), never(3, 0);
  for (ValidateRounds* rounds : {&soon, &never}) {
    EXPECT_EQ(rounds->After(kFew, 1, 1, true), Next::kAgainFromHere);
    for (const size_t of_one_speed : {1, 2, 2}) {
      EXPECT_EQ(rounds->After(kFew, 2, of_one_speed, true), Next::kAgain);
    }
  }
  EXPECT_EQ(soon.After(kFew, 3, 3, true), Next::kEnd);
  EXPECT_EQ(never.After(kFew, 3, 2, true), Next::kAgain);
  EXPECT_EQ(never.After(kFew, 3, 2, true), Next::kAgain);
  EXPECT_EQ(never.After(kFew, 3, 2, true), Next::kEnd);
}

TEST(ValidateRounds, EndsAfterAThousand) {
  ValidateRounds rounds(1, 1e9);
  int count = 1;
  while (rounds.After(kFew, 0, kAll, false) != Next::kEnd) ++count;
  EXPECT_EQ(count, ValidateRounds::kMost + 1);
}

// A machine of two speeds, and one round in between: those that most rounds had.
TEST(OfOneSpeed, ThatOfMostRounds) {
  EXPECT_THAT(OfOneSpeed({35, 45, 36, 40, 35.5, 44.5, 35}), testing::ElementsAre(0, 2, 4, 6));
  EXPECT_THAT(OfOneSpeed({45, 36, 45, 44}), testing::ElementsAre(0, 2, 3));
  EXPECT_THAT(OfOneSpeed({1, 2}).size(), 1);
  EXPECT_THAT(OfOneSpeed({7}), testing::ElementsAre(0));
  EXPECT_TRUE(OfOneSpeed({}).empty());
}

// The densest half may lie a percent off the middle.
TEST(OfOneSpeed, OfWhatScattersByAPercentFewAreLost) {
  std::mt19937 random(3);
  for (int trial = 0; trial < 100; ++trial) {
    std::normal_distribution<double> normal(40, 0.4);
    std::vector<double> seconds(1 + random() % 40);
    for (double& s : seconds) s = std::clamp(normal(random), 39.0, 41.0);
    EXPECT_GE(4 * OfOneSpeed(seconds).size(), 3 * seconds.size());
  }
}

// However the two speeds take turns, and whichever had a round more.
TEST(OfOneSpeed, NeverOfTwo) {
  std::mt19937 random(4);
  for (int trial = 0; trial < 100; ++trial) {
    std::vector<double> seconds(5 + random() % 40);
    for (double& s : seconds) {
      s = (random() % 2 == 0 ? 40 : 50) * (1 + 0.01 * static_cast<double>(random() % 100) / 100);
    }
    const auto places = OfOneSpeed(seconds);
    ASSERT_GT(2 * places.size(), seconds.size() - 1);
    for (const size_t place : places) {
      EXPECT_NEAR(seconds[place], seconds[places.front()], 1);
    }
  }
}

}  // namespace
}  // namespace pipescope::cli
