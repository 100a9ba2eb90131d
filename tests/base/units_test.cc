#include "sim/base/units.h"

#include <gtest/gtest.h>

#include <limits>
#include <type_traits>

#include "sim/base/ids.h"

namespace pipescope {
namespace {

// Types keep quantities apart: what should not compile is asked of the compiler here.
static_assert(!std::is_convertible_v<int64_t, Duration>);
static_assert(!std::is_convertible_v<Duration, int64_t>);
static_assert(!std::is_convertible_v<Bytes, Duration>);
static_assert(!std::is_constructible_v<Bandwidth, Bytes>);
static_assert(!std::is_convertible_v<RankId, StageId>);
static_assert(!std::is_constructible_v<RankId, StageId>);

TEST(Units, TransferTakesBytesOverBandwidth) {
  EXPECT_EQ(Bytes(58'720'256) / GigabytesPerSecond(50), Duration(1'174'405'120));
  EXPECT_EQ(Bytes(1) / GigabytesPerSecond(3), Duration(334));  // 333.3 ps, rounded up
  EXPECT_EQ(Bytes(0) / GigabytesPerSecond(50), Duration());
  EXPECT_EQ(Flops(2e12) / Teraflops(1), Seconds(2));
}

TEST(Units, DecimalMicrosecondsAreWhole) {
  // 3.7e-6 * 1e12 is a little more than 3'700'000 in doubles; rounding that up would add 1 ps.
  for (int tenths = 0; tenths < 100'000; ++tenths) {
    ASSERT_EQ(Microseconds(tenths / 10.0).picoseconds(), int64_t{100'000} * tenths) << tenths;
    ASSERT_EQ(Microseconds(tenths / 10.0).microseconds(), tenths / 10.0);
  }
}

TEST(Units, WhatIsNotWholeIsRoundedUp) {
  EXPECT_EQ(Seconds(1.25e-12), Duration(2));
  EXPECT_EQ(Seconds(1e-15), Duration(1));
  EXPECT_EQ(Seconds(-1.5e-12), Duration(-1));
}

TEST(Units, WhatDoesNotFitSaturates) {
  EXPECT_EQ(Seconds(1e30), Duration::Max());
  EXPECT_EQ(Seconds(std::numeric_limits<double>::infinity()), Duration::Max());
  EXPECT_EQ(Seconds(-1e30), Duration(-Duration::Max().picoseconds()));
  EXPECT_EQ(Bytes(1) / Bandwidth(0), Duration::Max());
  EXPECT_EQ(Bytes(0) / Bandwidth(0), Duration::Max());  // NaN seconds
}

TEST(Units, RatesAndRatios) {
  EXPECT_DOUBLE_EQ((Bytes(50'000'000'000) / Seconds(1)).value(), 50e9);
  EXPECT_DOUBLE_EQ((Flops(3e12) / Seconds(2)).value(), 1.5e12);
  EXPECT_DOUBLE_EQ(Bytes(3) / Bytes(2), 1.5);
  EXPECT_DOUBLE_EQ(Seconds(3) / Seconds(2), 1.5);
  EXPECT_LT(Bytes(1), Bytes(2));
  EXPECT_EQ(2 * Bytes(3) - Bytes(1), Bytes(5));
}

TEST(Ids, NoneIsMinusOne) {
  EXPECT_EQ(RankId().value(), -1);
  EXPECT_EQ(StageId(4).index(), 4u);
  EXPECT_LT(StageId(3), StageId(4));
}

}  // namespace
}  // namespace pipescope
