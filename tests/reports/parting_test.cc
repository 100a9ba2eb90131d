// Where measured parts from predicted: parts add up, and the cause is named.
#include "reports/parting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pipescope::reports {
namespace {

using schedules::ActionKind;
using timeline::Timeline;

// Two ranks of F and B, one operation each; ends of 0F, 1F, 1B, 0B in ms, each action a given
// length.
Timeline Make(const std::vector<double>& start, const std::vector<double>& end) {
  Timeline t;
  t.ranks = 2;
  t.labels = {{"work"}, {"message"}};
  const auto add = [&](int rank, ActionKind kind, size_t i, int released_by) {
    const auto number = static_cast<int32_t>(t.operations.size());
    t.operations.push_back({rank, 0, static_cast<int32_t>(t.actions.size()), released_by,
                            Milliseconds(start[i]), Milliseconds(end[i])});
    t.actions.push_back({rank,
                         {kind, StageId(rank), MicrobatchId(0)},
                         number,
                         1,
                         Milliseconds(start[i]),
                         Milliseconds(end[i])});
  };
  add(0, ActionKind::kForward, 0, -1);
  add(0, ActionKind::kBackward, 3, 5);
  add(1, ActionKind::kForward, 1, 4);
  add(1, ActionKind::kBackward, 2, 2);
  t.operations.push_back({0, 1, -1, 0, Milliseconds(end[0]), Milliseconds(end[0])});
  t.operations.push_back({1, 1, -1, 3, Milliseconds(end[2]), Milliseconds(end[2])});
  t.rank_actions = {{0, 2}, {2, 4}};
  t.pipeline_end = t.end = Milliseconds(end[3]);
  return t;
}

TEST(Parting, LongerAndWaitedAddUpAndAreExplained) {
  const Timeline predicted = Make({0, 2, 4, 8}, {2, 4, 8, 12});
  Timeline measured = Make({0, 2, 4, 11}, {2, 4, 11, 16});
  measured.end = Milliseconds(17);
  const Partings p = FindPartings(predicted, measured, 2);
  EXPECT_EQ(p.last_rank, 0);
  EXPECT_EQ(p.longer, Milliseconds(1));  // 0B0: 5 ms where 4 were expected
  EXPECT_EQ(p.waited, Milliseconds(3));  // for 1B0, which took 3 ms longer
  EXPECT_EQ(p.after, Milliseconds(1));
  EXPECT_EQ(p.longer + p.waited + p.after, measured.end - predicted.end);
  ASSERT_EQ(p.largest.size(), 2u);
  std::vector<std::string> why;
  for (const Parting& parting : p.largest) {
    EXPECT_EQ(parting.late, Milliseconds(3));
    why.push_back(parting.action + ": " + parting.why);
  }
  EXPECT_THAT(why,
              testing::UnorderedElementsAre("0B0: waited longer for rank 1's 1B0",
                                            "1B0: took longer than calibrated, most of all work"));
}

TEST(Parting, EqualTimelinesDoNot) {
  const Timeline t = Make({0, 2, 4, 8}, {2, 4, 8, 12});
  const Partings p = FindPartings(t, t, 5);
  EXPECT_EQ(p.longer, Duration());
  EXPECT_EQ(p.waited, Duration());
  for (const Parting& parting : p.largest) EXPECT_EQ(parting.late, Duration());
}

}  // namespace
}  // namespace pipescope::reports
