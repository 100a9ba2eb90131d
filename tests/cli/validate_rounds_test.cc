// How often validate repeats: what warms up, what counts, and when it ends.
#include "cli/validate_rounds.h"

#include <gtest/gtest.h>

namespace pipescope::cli {
namespace {

using Next = ValidateRounds::Next;

constexpr double kMany = 10 * ValidateRounds::kNewPages, kFew = ValidateRounds::kNewPages / 10;

TEST(ValidateRounds, WithoutPatienceTheFirstWarmsUpWhateverMemoryIsNew) {
  ValidateRounds rounds(2, 0);
  EXPECT_EQ(rounds.After(kMany, 1, true), Next::kAgainFromHere);
  EXPECT_EQ(rounds.After(kMany, 2, false), Next::kAgain);
  EXPECT_EQ(rounds.After(kMany, 3, false), Next::kEnd);
}

TEST(ValidateRounds, WarmsUpUntilMemoryNoLongerGrows) {
  ValidateRounds rounds(2, 100);
  EXPECT_EQ(rounds.After(kMany, 1, true), Next::kAgainFromHere);
  EXPECT_EQ(rounds.After(kMany, 2, true), Next::kAgainFromHere);
  EXPECT_EQ(rounds.After(kFew, 3, true), Next::kAgain);
  // Memory that grows later is part of what is measured.
  EXPECT_EQ(rounds.After(kMany, 4, true), Next::kEnd);
}

TEST(ValidateRounds, MemoryThatGrowsAlwaysEndsWarmingUp) {
  ValidateRounds rounds(1, 100);
  for (int i = 0; i < ValidateRounds::kMostWarmUps; ++i) {
    EXPECT_EQ(rounds.After(kMany, 1, true), Next::kAgainFromHere);
  }
  EXPECT_EQ(rounds.After(kMany, 1, true), Next::kEnd);
}

TEST(ValidateRounds, RepeatsUntilAllIsKnownOrPatienceEnds) {
  ValidateRounds known(1, 10), unknown(1, 10);
  for (ValidateRounds* rounds : {&known, &unknown}) {
    EXPECT_EQ(rounds->After(kFew, 1, false), Next::kAgainFromHere);
    EXPECT_EQ(rounds->After(kFew, 2, false), Next::kAgain);
  }
  EXPECT_EQ(known.After(kFew, 9, true), Next::kEnd);
  EXPECT_EQ(unknown.After(kFew, 9, false), Next::kAgain);
  EXPECT_EQ(unknown.After(kFew, 10, false), Next::kEnd);
}

// Patience that ends while it warms up leaves the repetitions that were asked for.
TEST(ValidateRounds, RepetitionsAreMadeHoweverLongTheyTake) {
  ValidateRounds rounds(3, 10);
  EXPECT_EQ(rounds.After(kMany, 20, false), Next::kAgainFromHere);
  EXPECT_EQ(rounds.After(kMany, 40, false), Next::kAgain);
  EXPECT_EQ(rounds.After(kMany, 60, false), Next::kAgain);
  EXPECT_EQ(rounds.After(kMany, 80, false), Next::kEnd);
}

TEST(ValidateRounds, EndsAfterAThousand) {
  ValidateRounds rounds(1, 1e9);
  int count = 1;
  while (rounds.After(kFew, 0, false) != Next::kEnd) ++count;
  EXPECT_EQ(count, ValidateRounds::kMost + 1);
}

}  // namespace
}  // namespace pipescope::cli
