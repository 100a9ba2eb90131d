// Waits for the slowest of a group, held to random draws.
#include "sim/costs/notify.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace pipescope::costs {
namespace {

// Mean wait of 64 ranks for their slowest, drawn 4000 times.
TEST(Notify, IsTheMeanWaitForTheSlowest) {
  std::mt19937 random(7);
  std::normal_distribution<double> time(5e-3, 0.112 * 5e-3);
  double waits = 0;
  constexpr int kDraws = 4000, kRanks = 64;
  for (int i = 0; i < kDraws; ++i) {
    double sum = 0, slowest = 0;
    for (int r = 0; r < kRanks; ++r) {
      const double t = time(random);
      sum += t;
      slowest = std::max(slowest, t);
    }
    waits += slowest - sum / kRanks;
  }
  const Meeting meeting{kRanks, true, false, Microseconds(5000)};
  EXPECT_NEAR(NotifyTime(meeting, Links(), Efficiencies()).seconds(), waits / kDraws,
              0.01 * waits / kDraws);
}

TEST(Notify, MessagesTakeTheirHops) {
  Links links;
  links.network_latency = Microseconds(4);
  links.nvlink_latency = Microseconds(1);
  const Efficiencies e;
  EXPECT_EQ(NotifyTime({1, false, true, Microseconds(9)}, links, e), Duration());
  EXPECT_EQ(NotifyTime({8, false, false, Duration()}, links, e), Microseconds(2));
  EXPECT_EQ(NotifyTime({64, true, false, Duration()}, links, e), Microseconds(10));
  EXPECT_EQ(NotifyTime({64, true, true, Duration()}, links, e), Microseconds(15));
}

}  // namespace
}  // namespace pipescope::costs
