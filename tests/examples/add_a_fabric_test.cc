// The worked example of topology/README.md: every way is as short as another, distinct, and walks
// along cables that are there.
#include <gtest/gtest.h>

#include <bit>
#include <set>

#include "tests/examples/hypercube.h"

namespace pipescope::topology {
namespace {

TEST(AddAFabric, WaysAreShortestDistinctAndAlongCables) {
  const Hypercube cube(4, 2, GigabytesPerSecond(50));
  std::set<std::pair<int, int>> cables;
  int crossing = 0;
  cube.ForEachLink([&](const SwitchLink& link) {
    cables.insert({link.lower, link.upper});
    crossing += (link.lower ^ link.upper) == 8;
  });
  EXPECT_EQ(cables.size(), 32u);  // 16 routers x 4 bits / 2
  EXPECT_EQ(cube.Cut()->value(), GigabytesPerSecond(50).value() * crossing);
  for (int to = 1; to < 16; ++to) {
    const NicAt start{0, 0}, end{to / 2, to % 2};
    const int64_t ways = cube.PathCount(start, end);
    std::set<std::vector<int>> distinct;
    for (int64_t key = 0; key < ways; ++key) {
      const std::vector<int> path = cube.Path(start, end, key);
      distinct.insert(path);
      EXPECT_EQ(path.size(), 1u + static_cast<size_t>(std::popcount(static_cast<unsigned>(to))));
      EXPECT_EQ(path.back(), to);
      for (size_t i = 0; i + 1 < path.size(); ++i) {
        EXPECT_EQ(cables.count(std::minmax(path[i], path[i + 1])), 1u);
      }
    }
    EXPECT_EQ(static_cast<int64_t>(distinct.size()), ways);
  }
}

}  // namespace
}  // namespace pipescope::topology
