#include "schedules/lowered.h"

#include "schedules/csv.h"
#include "schedules/lowered_csv.h"
#include "tests/schedules/testing.h"

namespace pipescope::schedules {
namespace {

using testing::HasSubstr;

std::string Lowered(const std::string& csv, const Lowering& options = {}) {
  const auto lowered = Lower(FromCsv(csv), options);
  return lowered ? ToCsv(*lowered) : lowered.error().ToString();
}

TEST(Lower, TheHeadersExample) {
  EXPECT_EQ(Lowered("0F0,0B0\n1F0,1B0\n"),
            "0F0,0SEND_F0,0RECV_B0,0B0\n1RECV_F0,1F0,1B0,1SEND_B0\n");
}

// PyTorch's own artifact, merged and lowered, equals PyTorch's own lowered artifact.
TEST(Lower, EqualsPyTorchsArtifact) {
  const Schedule compute = FromCsv(ReadData("zb1p_2rank_2stagep_compute.csv"));
  const auto lowered = Lower(MergeBackwards(compute));
  ASSERT_TRUE(lowered) << lowered.error().ToString();
  const auto expected = ParseLoweredCsv(ReadData("zb1p_2rank_2stagep_comms.csv"), "comms.csv");
  ASSERT_TRUE(expected) << expected.error().ToString();
  EXPECT_TRUE(expected->old_letters);
  EXPECT_EQ(ToCsv(*lowered), ToCsv(expected->lowered));
  EXPECT_EQ(lowered->actions, expected->lowered.actions);
}

TEST(Lower, StagesOfOneRankExchangeNoMessages) {
  // A V: stages 1 and 2 are both on rank 1.
  EXPECT_EQ(Lowered("0F0,3F0,3B0,0B0\n1F0,2F0,2B0,1B0\n"),
            "0F0,0SEND_F0,3RECV_F0,3F0,3B0,3SEND_B0,0RECV_B0,0B0\n"
            "1RECV_F0,1F0,2F0,2SEND_F0,2RECV_B0,2B0,1B0,1SEND_B0\n");
}

TEST(Lower, PairsSendBothResultsAfterThem) {
  const auto lowered = Lower(MakeSchedule("dualpipe", 4, 8));
  ASSERT_TRUE(lowered);
  const std::string csv = ToCsv(*lowered);
  EXPECT_THAT(csv, HasSubstr("(2F6;1B0)OVERLAP_F_B,2SEND_F6,1SEND_B0"));
  EXPECT_EQ(csv.find("-1"), csv.npos);
}

TEST(Lower, UnshardsThePrefetchedStages) {
  const std::string csv = "0F0,1F0,2F0,2B0,1B0,0B0\n";
  EXPECT_EQ(Lowered(csv, {.max_active_stages = 3}),
            "0UNSHARD,1UNSHARD,2UNSHARD,0F0,1F0,2F0,2B0,2RESHARD,1B0,1RESHARD,0B0,0RESHARD\n");
  EXPECT_EQ(Lowered(csv, {.max_active_stages = 2}),
            "0UNSHARD,1UNSHARD,0F0,0RESHARD,2UNSHARD,1F0,2F0,2B0,2RESHARD,0UNSHARD,1B0,1RESHARD,"
            "0B0,0RESHARD\n");
  EXPECT_EQ(Lowered("0F0,1F0,1B0,0B0\n", {.max_active_stages = 1}),
            "0UNSHARD,0F0,0RESHARD,1UNSHARD,1F0,1B0,1RESHARD,0UNSHARD,0B0,0RESHARD\n");
  EXPECT_THAT(Lowered(csv, {.max_active_stages = 0}), HasSubstr("expected at least 1"));
}

// Both halves of a pair are kept where the first of them fills the last place.
TEST(Lower, UnshardsBothStagesOfAPair) {
  EXPECT_EQ(Lowered("0F0,1F0,(0F1;1B0)OVERLAP_F_B,1F1,1B1,0B0,0B1\n", {.max_active_stages = 1})
                .substr(0, 78),
            "0UNSHARD,0F0,0RESHARD,1UNSHARD,1F0,0UNSHARD,(0F1;1B0)OVERLAP_F_B,0RESHARD,1F1,");
}

TEST(Lower, ReducesAfterTheLastWOrB) {
  EXPECT_EQ(Lowered("0F0,0F1,0I0,0B1,0W0\n1F0,1F1,1B0,1B1\n", {.reduce_grad = true}),
            "0F0,0SEND_F0,0F1,0SEND_F1,0RECV_B0,0I0,0RECV_B1,0B1,0W0,0REDUCE_GRAD\n"
            "1RECV_F0,1F0,1RECV_F1,1F1,1B0,1SEND_B0,1B1,1SEND_B1,1REDUCE_GRAD\n");
}

TEST(Lower, RefusesAnOrderThatHangs) {
  EXPECT_THAT(Lowered("0F0,0B0,0F1,0B1\n1F0,1F1,1B0,1B1\n"), HasSubstr("wait for each other"));
  EXPECT_THAT(Lowered("0F0\n1F0,1B0\n"), HasSubstr("incomplete"));
}

TEST(MergeBackwards, JoinsOnlyNeighboursOfOneStageAndMicrobatch) {
  EXPECT_EQ(ToCsv(MergeBackwards(FromCsv("0F0,0F1,0I0,0W0,0I1,0W1\n"))), "0F0,0F1,0B0,0B1\n");
  EXPECT_EQ(ToCsv(MergeBackwards(FromCsv("0F0,0F1,0I0,0I1,0W0,0W1\n"))),
            "0F0,0F1,0I0,0I1,0W0,0W1\n");
}

}  // namespace
}  // namespace pipescope::schedules
