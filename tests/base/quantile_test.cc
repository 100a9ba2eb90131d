// Quantiles against sorting.
#include "sim/base/quantile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace pipescope {
namespace {

TEST(Quantile, OfTheHeadersExample) {
  const std::vector<int> values = {8, 1, 4, 2};
  EXPECT_EQ(Median(values), 4);
  EXPECT_EQ(Quantile(values, 0.25), 2);
  EXPECT_EQ(Quantile(values, 0.75), 4);
}

TEST(Quantile, IsTheValueOfAPlaceAmongSortedOnes) {
  std::mt19937 random(3);
  for (int trial = 0; trial < 500; ++trial) {
    std::vector<uint64_t> values(1 + random() % 30);
    for (uint64_t& value : values) value = random() % 20;
    auto sorted = values;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(Quantile(values, 0), sorted.front());
    EXPECT_EQ(Quantile(values, 1), sorted.back());
    EXPECT_EQ(Median(values), sorted[sorted.size() / 2]);
    for (size_t i = 0; i < sorted.size(); ++i) {
      const double share =
          sorted.size() == 1 ? 0 : static_cast<double>(i) / static_cast<double>(sorted.size() - 1);
      EXPECT_EQ(Quantile(values, share), sorted[i]);
    }
  }
}

// Quartiles 8 and 12, median 10: 4 / 1.35 x 1.25 / 10 / sqrt(n); a hundred times the values, a
// tenth.
TEST(Quantile, AMedianIsKnownBetterByMoreValues) {
  std::vector<double> values = {2, 8, 10, 12, 30};
  const double once = MedianError(values);
  EXPECT_NEAR(once, 1.25 / 1.35 * 4 / 10 / std::sqrt(5), 1e-12);
  std::vector<double> many;
  for (int i = 0; i < 100; ++i) many.insert(many.end(), values.begin(), values.end());
  EXPECT_NEAR(MedianError(many), once / 10, 1e-12);
  EXPECT_EQ(MedianError({5, 5, 5}), 0);
}

}  // namespace
}  // namespace pipescope
