// Damaged orders, and what the checker says of them.
#include "schedules/check.h"

#include <algorithm>

#include "schedules/csv.h"
#include "tests/schedules/testing.h"

namespace pipescope::schedules {
namespace {

using testing::HasSubstr;

// The first finding, as "kind: message".
std::string First(const Schedule& schedule) {
  const std::vector<Finding> findings = Check(schedule);
  if (findings.empty()) return "sound";
  return ToString(findings.front());
}
std::string First(const std::string& csv) { return First(FromCsv(csv)); }

TEST(Check, EveryFamilyIsSound) {
  for (const Family& family : Families())
    EXPECT_EQ(First(MakeSchedule(family.name, 4, 8)), "sound");
}

TEST(Check, OrdersFromOutsideAreSound) {
  for (const char* file : {"dualpipev_4rank_10mb.csv", "gen_DualPipe_4x8.csv", "gen_ZBV_4x4.csv",
                           "gen_InterleavedZB_2x8_v2.csv", "zb1p_2rank_2stagep_compute.csv"}) {
    EXPECT_EQ(First(ReadData(file)), "sound") << file;
  }
}

TEST(Check, MissingInputGradient) {
  EXPECT_EQ(First("0F0,0I0,0W0,0F1,0W1\n"),
            "incomplete: the backward of stage 0, micro-batch 1 is missing: neither 0I1 nor 0B1, "
            "though its W is there");
}

TEST(Check, MissingForward) {
  EXPECT_EQ(First("0F0,0B0,0B1,0B2,0F2\n"), "incomplete: 0F1 is missing");
}

TEST(Check, MissingWeightGradient) {
  EXPECT_EQ(First("0F0,0I0,0W0,0F1,0I1\n"), "incomplete: 0W1 is missing: 0I1 leaves it to do");
}

TEST(Check, WeightGradientOfAFullBackward) {
  EXPECT_EQ(First("0F0,0B0,0W0,0F1,0I1,0W1\n"),
            "duplicate: 0W0 repeats the weight gradient that 0B0 already gives");
}

TEST(Check, WeightBeforeInput) {
  EXPECT_EQ(First("0F0,0W0,0I0\n"), "order: 0W0 on rank 0 comes before 0I0, which it needs");
}

TEST(Check, BackwardBeforeForward) {
  EXPECT_EQ(First("0B0,0F0\n"), "order: 0B0 on rank 0 comes before 0F0, which it needs");
}

TEST(Check, StagesOfOneRankOutOfOrder) {
  EXPECT_EQ(First("1F0,0F0,1B0,0B0\n"), "order: 1F0 on rank 0 comes before 0F0, which it needs");
}

TEST(Check, PairOfOneMicrobatch) {
  EXPECT_EQ(First("(0F0;0B0)OVERLAP_F_B\n"),
            "order: (0F0;0B0)OVERLAP_F_B on rank 0 needs its own result");
}

TEST(Check, Duplicate) {
  EXPECT_EQ(First("0F0,0F0,0B0\n"),
            "duplicate: 0F0 on rank 0 repeats the forward that 0F0 on rank 0 already does");
  EXPECT_EQ(First("0F0,0B0,0I0\n"),
            "duplicate: 0I0 on rank 0 repeats the backward that 0B0 on rank 0 already does");
}

TEST(Check, BackwardOnAnotherRank) {
  EXPECT_EQ(First("0F0,0F1,0B1\n0B0\n"),
            "placement: 0B0 is on rank 1, but 0F0, whose result it needs there, is on rank 0");
}

TEST(Check, StageOnTwoRanks) {
  // Stage 1 moves to rank 0 for micro-batch 1, while stage 0 stays.
  EXPECT_EQ(First("0F0,0F1,1F1,1B1,0B0,0B1\n1F0,1B0\n"),
            "placement: stage 1 is on rank 1 for micro-batch 0 but on rank 0 for micro-batch 1, "
            "though both have stage 0 on rank 0; copies of a pipeline must not share a stage's "
            "rank");
}

TEST(Check, TwoCopiesThatShareNothingAreSound) {
  EXPECT_EQ(First("0F0,1F1,1B1,0B0\n0F1,1F0,1B0,0B1\n"), "sound");
}

TEST(Check, ARankWithoutActions) {
  Schedule schedule = MakeSchedule("gpipe", 2, 2);
  schedule.actions.push_back({});
  EXPECT_THAT(First(schedule), HasSubstr("2 ranks are said, but 3 have a list"));
  schedule.ranks = 3;
  EXPECT_EQ(First(schedule), "incomplete: rank 2 has no actions");
}

TEST(Check, HugeIndicesAreNamedNotAllocated) {
  EXPECT_EQ(First("0F0,0B0,1000000F16000000\n"),
            "incomplete: 1000001 stages x 16000001 micro-batches need 16000017000001 "
            "forwards, but there are only 3 actions; the first one missing is 0F1");
}

TEST(Check, ActionsOutsideTheSizes) {
  Schedule schedule = MakeSchedule("gpipe", 2, 2);
  schedule.actions[0].push_back(Make(ActionKind::kForward, 2, 0));
  EXPECT_THAT(First(schedule), HasSubstr("there are only 2 stages and 2 micro-batches"));
  schedule.actions[0].back() = Make(ActionKind::kForward, -5, 0);
  EXPECT_THAT(First(schedule), HasSubstr("there are only 2 stages and 2 micro-batches"));
}

TEST(Check, ManyFindingsAreCut) {
  Schedule schedule = MakeSchedule("gpipe", 4, 50);
  for (auto& rank : schedule.actions) std::reverse(rank.begin(), rank.end());
  EXPECT_EQ(Check(schedule).size(), 20u);
}

TEST(Check, DeadlockIsShownAsACircle) {
  EXPECT_EQ(First("0F0,0B0,0F1,0B1\n1F0,1F1,1B0,1B1\n"),
            "deadlock: 2 ranks wait for each other, after 2 of 8 actions\n"
            "  rank 0 stands before 0B0 (action 1), which needs 1B0 of rank 1 (action 2)\n"
            "  rank 1 stands before 1F1 (action 1), which needs 0F1 of rank 0 (action 2)\n"
            "to break the circle, one of these ranks must run the needed action before the one it "
            "stands before");
}

TEST(Check, TheShortestCircleIsShown) {
  // Ranks 2 and 3 wait for each other; 0 and 1 merely wait for what comes of it.
  Schedule schedule = MakeSchedule("1f1b", 4, 6);
  const auto& rank = schedule.actions[2];
  // Rank 3 runs all forwards first, which rank 2 does not send before its own first backward.
  schedule.actions[3] =
      FromCsv("0F0\n3F0,3F1,3F2,3F3,3F4,3F5,3B0,3B1,3B2,3B3,3B4,3B5\n").actions[1];
  ASSERT_EQ(rank[2], Make(ActionKind::kBackward, 2, 0));
  EXPECT_EQ(First(schedule),
            "deadlock: 2 ranks wait for each other, after 11 of 48 actions\n"
            "  rank 2 stands before 2B0 (action 2), which needs 3B0 of rank 3 (action 6)\n"
            "  rank 3 stands before 3F2 (action 2), which needs 2F2 of rank 2 (action 3)\n"
            "to break the circle, one of these ranks must run the needed action before the one it "
            "stands before");
}

TEST(Check, ACircleOfThree) {
  EXPECT_EQ(First("0F0,3F0,0F1,3F1,3B0,3B1,0B0,0B1\n"
                  "1F1,1F0,4F0,4F1,4B0,4B1,1B0,1B1\n"
                  "2F0,2F1,5F0,5B0,5F1,5B1,2B0,2B1\n"),
            "deadlock: 3 ranks wait for each other, after 1 of 24 actions\n"
            "  rank 0 stands before 3F0 (action 1), which needs 2F0 of rank 2 (action 0)\n"
            "  rank 2 stands before 2F0 (action 0), which needs 1F0 of rank 1 (action 1)\n"
            "  rank 1 stands before 1F1 (action 0), which needs 0F1 of rank 0 (action 2)\n"
            "to break the circle, one of these ranks must run the needed action before the one it "
            "stands before");
}

TEST(CheckMemory, TheFirstActionThatHoldsTooMuch) {
  const Schedule order = MakeSchedule("1f1b", 4, 8);
  EXPECT_TRUE(CheckMemory(order, 4).empty());
  const auto findings = CheckMemory(order, 2);
  ASSERT_EQ(findings.size(), 2u);  // ranks 0 and 1 hold 4 and 3
  EXPECT_EQ(ToString(findings[0]),
            "memory: rank 0 holds 3 activations of one chunk from 0F2 (action 2) on; the limit is "
            "2");
  EXPECT_EQ(findings[1].rank, 1);
}

// A split backward holds until its W; the limit that passes is the peak that the evaluator tells.
TEST(CheckMemory, AgreesWithThePeaks) {
  for (const Family& family : Families()) {
    const auto schedule = Generate(family, {4, 8, {}});
    if (!schedule) continue;
    const auto prepared = Prepare(*schedule);
    ASSERT_TRUE(prepared);
    const int peak =
        *std::max_element(prepared->peak_activations.begin(), prepared->peak_activations.end());
    EXPECT_TRUE(CheckMemory(*schedule, peak).empty()) << family.name;
    EXPECT_FALSE(CheckMemory(*schedule, peak - 1).empty()) << family.name;
  }
}

}  // namespace
}  // namespace pipescope::schedules
