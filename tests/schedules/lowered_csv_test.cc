#include "schedules/lowered_csv.h"

#include "tests/schedules/testing.h"

namespace pipescope::schedules {
namespace {

using testing::HasSubstr;

std::string ErrorOf(const std::string& csv) {
  const auto parsed = ParseLoweredCsv(csv, "f.csv");
  return parsed ? "" : parsed.error().ToString();
}

TEST(LoweredToken, RoundTrip) {
  for (const char* token :
       {"0F0", "3I7", "3W7", "3B7", "(0F7;7B3)OVERLAP_F_B", "0SEND_F0", "1RECV_F12", "7SEND_B3",
        "6RECV_B3", "0UNSHARD", "12RESHARD", "3REDUCE_GRAD"}) {
    const auto parsed = ParseLoweredToken(token);
    ASSERT_TRUE(parsed) << parsed.error().ToString();
    EXPECT_EQ(ToToken(*parsed), token);
  }
}

TEST(LoweredCsv, RoundTripIsExact) {
  const std::string csv =
      "0UNSHARD,0F0,0SEND_F0,0RECV_B0,0I0,0W0,0RESHARD,0REDUCE_GRAD\n1RECV_F0,1F0,1B0,1SEND_B0\n";
  const auto parsed = ParseLoweredCsv(csv, "f.csv");
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->has_communication);
  EXPECT_EQ(parsed->lowered.stages, 2);
  EXPECT_EQ(parsed->lowered.microbatches, 1);
  EXPECT_EQ(ToCsv(parsed->lowered), csv);
}

TEST(LoweredCsv, ReadsAComputeOnlyOrder) {
  const auto parsed = ParseLoweredCsv(ReadData("zb1p_2rank_2stagep_compute.csv"), "f.csv");
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(parsed->has_communication);
  EXPECT_TRUE(parsed->old_letters);
  EXPECT_EQ(ToToken(parsed->lowered.actions[0][4]), "2I0");
}

// Where no BW tells the old letters, the W's do.
TEST(LoweredCsv, OldLettersWithoutBw) {
  const auto parsed =
      ParseLoweredCsv("0F0,0SEND_F0,0RECV_B0,0B0,0W0\n1RECV_F0,1F0,1B0,1SEND_B0,1W0\n", "f.csv");
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->old_letters);
  EXPECT_EQ(ToCsv(parsed->lowered),
            "0F0,0SEND_F0,0RECV_B0,0I0,0W0\n1RECV_F0,1F0,1I0,1SEND_B0,1W0\n");
}

TEST(LoweredCsv, ErrorsNameTheCell) {
  EXPECT_EQ(ErrorOf("0F0\n1RECV_F0,1SEND_F\n"),
            "f.csv:2:2: cell 2: '1SEND_F': expected a micro-batch from 0 to 16777215 after SEND_F, "
            "and nothing more");
  EXPECT_THAT(ErrorOf("0UNSHARD3\n"), HasSubstr("expected nothing after UNSHARD"));
  EXPECT_THAT(ErrorOf("SEND_F0\n"), HasSubstr("expected a stage from 0 to"));
  EXPECT_THAT(ErrorOf("-1SEND_F0\n"), HasSubstr("expected an action"));
  EXPECT_THAT(ErrorOf("0SEND_F99999999999\n"), HasSubstr("expected a micro-batch"));
  EXPECT_THAT(ErrorOf("0SEND_X0\n"), HasSubstr("expected an action"));
  EXPECT_THAT(ErrorOf("\n\n"), HasSubstr("is empty"));
  EXPECT_THAT(ErrorOf(",,,\n"), HasSubstr("only empty cells"));
}

}  // namespace
}  // namespace pipescope::schedules
