#include "schedules/lowered_check.h"

#include "schedules/lowered_csv.h"
#include "tests/schedules/testing.h"

namespace pipescope::schedules {
namespace {

using testing::HasSubstr;

LoweredVerdict Verdict(const std::string& csv) {
  const auto parsed = ParseLoweredCsv(csv, "test.csv");
  EXPECT_TRUE(parsed) << parsed.error().ToString();
  return CheckLowered(parsed->lowered);
}

// All findings, a line each.
std::string Findings(const std::string& csv) {
  std::string text;
  for (const Finding& finding : Verdict(csv).findings) text += ToString(finding) + "\n";
  return text;
}

constexpr const char* kSound = "0F0,0SEND_F0,0RECV_B0,0B0\n1RECV_F0,1F0,1B0,1SEND_B0\n";

TEST(CheckLowered, TheHeadersExampleTakesSixSteps) {
  const LoweredVerdict verdict = Verdict(kSound);
  EXPECT_TRUE(verdict.findings.empty());
  EXPECT_EQ(verdict.steps, 6);
}

// PyTorch's own test of the same file asks for 113.
TEST(CheckLowered, PyTorchsArtifactTakes113Steps) {
  const LoweredVerdict verdict = Verdict(ReadData("zb1p_2rank_2stagep_comms.csv"));
  EXPECT_TRUE(verdict.findings.empty());
  EXPECT_EQ(verdict.steps, 113);
}

TEST(CheckLowered, BothSendFirst) {
  EXPECT_EQ(
      Findings("0F0,0SEND_F0,0F1,0SEND_F1,0RECV_B0,0B0,0RECV_B1,0B1\n"
               "1RECV_F0,1F0,1B0,1SEND_B0,1RECV_F1,1F1,1B1,1SEND_B1\n"),
      "order: message 1 between ranks 0 and 1 is 0SEND_F1 on rank 0 (action 3) but 1SEND_B0 on "
      "rank 1 (action 3); both sides must have the same order\n"
      "deadlock: 2 ranks wait for each other, after 6 of 16 actions, where a SEND waits for its "
      "RECV\n"
      "  rank 0 stands before 0SEND_F1 (action 3), which needs 1RECV_F1 of rank 1 (action 4)\n"
      "  rank 1 stands before 1SEND_B0 (action 3), which needs 0RECV_B0 of rank 0 (action 4)\n"
      "to break the circle, one of these ranks must run the needed action before the one it stands "
      "before\n"
      "the order ends if SENDs do not wait for their RECVs\n");
}

// Rank 1 waits for micro-batch 1 before it computes the gradient that rank 0 wants before it makes
// micro-batch 1. The compute actions alone are sound.
TEST(CheckLowered, AReceiveBeforeWhatItsSenderNeeds) {
  EXPECT_EQ(
      Findings("0F0,0SEND_F0,0RECV_B0,0B0,0F1,0SEND_F1,0RECV_B1,0B1\n"
               "1RECV_F0,1F0,1RECV_F1,1B0,1SEND_B0,1F1,1B1,1SEND_B1\n"),
      "order: message 1 between ranks 0 and 1 is 0RECV_B0 on rank 0 (action 2) but 1RECV_F1 on "
      "rank 1 (action 2); both sides must have the same order\n"
      "deadlock: 2 ranks wait for each other, after 4 of 16 actions, where a SEND waits for its "
      "RECV\n"
      "  rank 0 stands before 0RECV_B0 (action 2), which needs 1SEND_B0 of rank 1 (action 4)\n"
      "  rank 1 stands before 1RECV_F1 (action 2), which needs 0SEND_F1 of rank 0 (action 5)\n"
      "to break the circle, one of these ranks must run the needed action before the one it stands "
      "before\n"
      "the order does not end even if SENDs do not wait for their RECVs\n");
}

// Each two ranks agree, yet all three wait: rank 0 for 1, 1 for 2, 2 for 0. Stages 0, 1, 2 and 3
// are on ranks 0, 1, 2 and 0.
TEST(CheckLowered, ACircleOfThree) {
  EXPECT_EQ(
      Findings("0F0,0SEND_F0,0F1,0SEND_F1,0F2,0SEND_F2,3RECV_F0,3F0,3RECV_F1,3F1,3RECV_F2,3F2,"
               "3B0,3SEND_B0,3B1,3SEND_B1,3B2,3SEND_B2,0RECV_B0,0B0,0RECV_B1,0B1,0RECV_B2,0B2\n"
               "1RECV_F0,1F0,1SEND_F0,1RECV_F1,1F1,1SEND_F1,1RECV_F2,1F2,1SEND_F2,"
               "1RECV_B0,1B0,1SEND_B0,1RECV_B1,1B1,1SEND_B1,1RECV_B2,1B2,1SEND_B2\n"
               "2RECV_F0,2F0,2SEND_F0,2RECV_F1,2F1,2SEND_F1,2RECV_F2,2F2,2SEND_F2,"
               "2RECV_B0,2B0,2SEND_B0,2RECV_B1,2B1,2SEND_B1,2RECV_B2,2B2,2SEND_B2\n"),
      "deadlock: 3 ranks wait for each other, after 12 of 60 actions, where a SEND waits for its "
      "RECV\n"
      "  rank 0 stands before 0SEND_F2 (action 5), which needs 1RECV_F2 of rank 1 (action 6)\n"
      "  rank 1 stands before 1SEND_F1 (action 5), which needs 2RECV_F1 of rank 2 (action 3)\n"
      "  rank 2 stands before 2SEND_F0 (action 2), which needs 3RECV_F0 of rank 0 (action 6)\n"
      "to break the circle, one of these ranks must run the needed action before the one it stands "
      "before\n"
      "the order ends if SENDs do not wait for their RECVs\n");
}

TEST(CheckLowered, MissingRepeatedAndMisplacedMessages) {
  const auto first = [](const std::string& csv) {
    const std::string findings = Findings(csv);
    return findings.substr(0, findings.find('\n'));
  };
  EXPECT_EQ(first("0F0,0RECV_B0,0B0\n1RECV_F0,1F0,1B0,1SEND_B0\n"),
            "incomplete: 0SEND_F0 is missing on rank 0: 1F0 of rank 1 needs it");
  EXPECT_EQ(first("0F0,0SEND_F0,0B0\n1RECV_F0,1F0,1B0,1SEND_B0\n"),
            "incomplete: 0RECV_B0 is missing on rank 0: 1B0 of rank 1 sends it");
  EXPECT_EQ(first("0SEND_F0,0F0,0RECV_B0,0B0\n1RECV_F0,1F0,1B0,1SEND_B0\n"),
            "order: 0SEND_F0 on rank 0 (action 0) comes before 0F0 (action 1), whose result it "
            "sends");
  EXPECT_EQ(first("0F0,0SEND_F0,0B0,0RECV_B0\n1RECV_F0,1F0,1B0,1SEND_B0\n"),
            "order: 0RECV_B0 on rank 0 (action 3) comes after 0B0 (action 2), which needs what it "
            "receives");
  EXPECT_EQ(first("0F0,0SEND_F0,0SEND_F0,0RECV_B0,0B0\n1RECV_F0,1F0,1B0,1SEND_B0\n"),
            "duplicate: 0SEND_F0 on rank 0 (action 2) repeats action 1");
  EXPECT_EQ(first("0F0,0SEND_F0,0RECV_B0,0B0,1SEND_B0\n1RECV_F0,1F0,1B0\n"),
            "placement: 1SEND_B0 on rank 0 (action 4) must be on rank 1, where 1B0 is");
  EXPECT_EQ(first("0F0,1F0,0SEND_F0,1B0,0B0\n"),
            "placement: 0SEND_F0 on rank 0 (action 2) has no peer: 0F0 gives its result to no "
            "other rank");
  EXPECT_EQ(first("0F0,0RECV_F0,0B0\n"),
            "placement: 0RECV_F0 on rank 0 (action 1) has no peer: 0F0 needs a result of no other "
            "rank");
  EXPECT_EQ(first("0F0,0B0,0SEND_F7\n"),
            "incomplete: 0SEND_F7 on rank 0 (action 2) names what does not exist: there are only 1 "
            "stages and 1 micro-batches");
  EXPECT_EQ(first("0F0,0SEND_F0,0RECV_B0\n1RECV_F0,1F0,1B0,1SEND_B0\n").substr(0, 10),
            "incomplete");
}

TEST(CheckLowered, Shards) {
  EXPECT_EQ(Findings("0UNSHARD,0F0,0B0,0RESHARD,0REDUCE_GRAD\n"), "");
  EXPECT_EQ(Findings("0UNSHARD,0F0,0RESHARD,0B0\n"),
            "order: 0B0 on rank 0 (action 3) runs while the parameters of stage 0 are not "
            "gathered: expected 0UNSHARD before it\n");
  EXPECT_EQ(Findings("0UNSHARD,0UNSHARD,0F0,0B0\n"),
            "duplicate: 0UNSHARD on rank 0 (action 1) gathers parameters that are gathered "
            "already\n");
  EXPECT_THAT(Findings("0F0,0B0,0RESHARD\n"), HasSubstr("gives up parameters"));
  EXPECT_EQ(Findings("0F0,0REDUCE_GRAD,0B0\n"),
            "order: 0REDUCE_GRAD on rank 0 (action 1) comes before 0B0 (action 2), which still "
            "adds to the gradients\n");
  EXPECT_THAT(Findings("0F0,0B0,0REDUCE_GRAD,0REDUCE_GRAD\n"), HasSubstr("reduced already"));
  EXPECT_THAT(Findings("0F0,0B0,5UNSHARD\n"), HasSubstr("a stage that the rank does not compute"));
}

TEST(CheckLowered, ComputeFindingsComeFirst) {
  EXPECT_THAT(Findings("0F0,0SEND_F0\n1RECV_F0,1F0,1B0,1SEND_B0\n"),
              HasSubstr("the backward of stage 0, micro-batch 0 is missing"));
  EXPECT_THAT(Findings("0SEND_F0\n"), HasSubstr("incomplete"));
}

}  // namespace
}  // namespace pipescope::schedules
