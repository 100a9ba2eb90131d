// Ranks get processors of their own, all of them, or none where they are too few.
#include "kernels/executor/processors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "kernels/executor/threads.h"

namespace pipescope::executor {
namespace {

TEST(Processors, AreDealtOutWholeAndOnlyOnce) {
  for (int count = 1; count <= 9; ++count) {
    std::vector<int> all;
    for (int i = 0; i < count; ++i) all.push_back(10 - i);
    for (int ranks = 1; ranks <= count; ++ranks) {
      std::multiset<int> dealt;
      size_t least = all.size(), most = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const auto own = ProcessorsOf(all, rank, ranks);
        // Cores before their second threads.
        EXPECT_EQ(own.front(), all[static_cast<size_t>(rank)]);
        dealt.insert(own.begin(), own.end());
        least = std::min(least, own.size());
        most = std::max(most, own.size());
      }
      EXPECT_EQ(dealt, std::multiset<int>(all.begin(), all.end()));
      EXPECT_LE(most - least, 1U);
    }
  }
}

TEST(Processors, OfTheHeadersExample) {
  EXPECT_EQ(ProcessorsOf({0, 1, 2, 3, 4}, 0, 2), (std::vector<int>{0, 2, 4}));
  EXPECT_EQ(ProcessorsOf({0, 1, 2, 3, 4}, 1, 2), (std::vector<int>{1, 3}));
}

TEST(Processors, MoreRanksThanThereAreAreNotBound) {
  EXPECT_TRUE(ProcessorsOf({0, 1}, 0, 3).empty());
  const auto all = Processors();
  std::thread([&] {
    Bind({});
    EXPECT_EQ(Processors(), all);
  }).join();
}

TEST(Processors, AThreadAndThoseThatItStartsRunWhereItIsBound) {
  const auto all = Processors();
  const int machine = ProcessorsOfMachine();
  ASSERT_FALSE(all.empty());
  std::thread([&] {
    Bind({all.back()});
    std::thread([&] { EXPECT_EQ(Processors(), std::vector<int>{all.back()}); }).join();
    // So a run there counts on one, and its ranks block while they wait.
    EXPECT_EQ(ProcessorCount(), 1);
    EXPECT_EQ(ThreadCrew().processors(), 1);
    EXPECT_EQ(ProcessorsOfMachine(), machine);
  }).join();
  EXPECT_EQ(Processors(), all);
}

}  // namespace
}  // namespace pipescope::executor
