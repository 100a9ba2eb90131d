// Guesses from neighbours against the laws that the neighbours were made from.
#include "sim/costs/neighbours.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace pipescope::costs {
namespace {

Neighbour At(double model, double wanted, double seconds) {
  return {std::abs(std::log2(model / wanted)), model, seconds};
}

TEST(Neighbours, TheHeadersExample) {
  for (const auto& [megabytes, us] : {std::pair{2.0, 7.0}, {8.0, 19.0}}) {
    const std::vector<Neighbour> two = {At(1, megabytes, 5e-6), At(4, megabytes, 11e-6)};
    EXPECT_NEAR(GuessFrom(two, megabytes, Trend::kAffine), us * 1e-6, 1e-15);
  }
  const std::vector<Neighbour> two = {At(1, 2, 5e-6), At(4, 2, 11e-6)};
  EXPECT_NEAR(GuessFrom(two, 2, Trend::kProportional), 7.75e-6, 1e-15);
}

TEST(Neighbours, ALineIsFoundBetweenAndBeyond) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> start(0, 1e-4), slope(1e-7, 1e-3), size(1, 16);
  for (int i = 0; i < 2000; ++i) {
    const double a = start(random), b = slope(random), wanted = size(random) * 2;
    std::vector<Neighbour> some;
    for (int j = 0; j < 2 + i % 3; ++j) {
      const double model = size(random);
      some.push_back(At(model, wanted, a + b * model));
    }
    const double should = a + b * wanted;
    EXPECT_NEAR(GuessFrom(some, wanted, Trend::kAffine), should, 1e-6 * should) << i;
  }
}

TEST(Neighbours, ARateAloneIsARate) {
  const std::vector<Neighbour> one = {At(3, 6, 9e-6)};
  EXPECT_DOUBLE_EQ(GuessFrom(one, 6, Trend::kAffine), 18e-6);
  EXPECT_DOUBLE_EQ(GuessFrom(one, 6, Trend::kProportional), 18e-6);
  // The same size twice has no line either.
  const std::vector<Neighbour> same = {At(3, 6, 9e-6), At(3, 6, 9e-6)};
  EXPECT_NEAR(GuessFrom(same, 6, Trend::kAffine), 18e-6, 1e-15);
}

// A small one that is faster for its size gives no line that begins below nothing, nor does a large
// one that is faster than a small one make anything larger faster still.
TEST(Neighbours, NothingStartsBelowZeroAndNothingGrowsBackwards) {
  const std::vector<Neighbour> fast = {At(1, 0.5, 1e-6), At(2, 0.5, 4e-6)};
  const double half = GuessFrom(fast, 0.5, Trend::kAffine);
  EXPECT_GT(half, 0.5e-6 - 1e-12);  // its ratio lies between the two: 0.5e-6 and 1e-6
  EXPECT_LT(half, 1e-6);
  const std::vector<Neighbour> falls = {At(1, 4, 3e-6), At(2, 4, 2e-6)};
  const double four = GuessFrom(falls, 4, Trend::kAffine);
  EXPECT_GE(four, 2e-6);
  EXPECT_LE(four, 3e-6);
}

TEST(Neighbours, TheNearestCountsMost) {
  const std::vector<Neighbour> two = {{1e-9, 1, 2}, {1, 1, 1}};
  EXPECT_NEAR(GuessFrom(two, 1, Trend::kProportional), 2, 1e-9);
  const std::vector<Neighbour> apart = {{1, 1, 1.2}, {2, 2, 2.0}};
  EXPECT_NEAR(GuessFrom(apart, 0.5, Trend::kProportional), 0.5 * 1.16, 1e-12);
}

}  // namespace
}  // namespace pipescope::costs
