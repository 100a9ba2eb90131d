// Means of the largest of normal values: closed forms, and values of published tables.
#include "sim/base/order_statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace pipescope {
namespace {

TEST(OrderStatistics, HaveTheirClosedForms) {
  EXPECT_EQ(ExpectedMaximum(0), 0);
  EXPECT_EQ(ExpectedMaximum(1), 0);
  EXPECT_NEAR(ExpectedMaximum(2), 1 / std::sqrt(std::numbers::pi), 1e-6);
  EXPECT_NEAR(ExpectedMaximum(3), 1.5 / std::sqrt(std::numbers::pi), 1e-6);
}

// Known order statistics of the normal distribution.
TEST(OrderStatistics, EqualTables) {
  EXPECT_NEAR(ExpectedMaximum(5), 1.1630, 1e-4);
  EXPECT_NEAR(ExpectedMaximum(64), 2.343733, 1e-6);  // by integrating 1 - F^n and F^n
  EXPECT_NEAR(ExpectedMaximum(100), 2.5076, 1e-4);
}

}  // namespace
}  // namespace pipescope
