#include "schedules/token.h"

#include "tests/schedules/testing.h"

namespace pipescope::schedules {
namespace {

TEST(Token, RoundTrip) {
  for (const char* text : {"0F0", "3I17", "12W0", "7B1048575", "(0F7;7B3)OVERLAP_F_B"}) {
    const auto action = ParseToken(text);
    ASSERT_TRUE(action) << action.error().message;
    EXPECT_EQ(ToToken(*action), text);
  }
}

TEST(Token, Parts) {
  const auto pair = ParseToken("(1F7;6B3)OVERLAP_F_B");
  ASSERT_TRUE(pair);
  EXPECT_EQ(*pair, (Action{ActionKind::kOverlapped, StageId(1), MicrobatchId(7), StageId(6),
                           MicrobatchId(3)}));
  EXPECT_TRUE(HasForward(*pair));
  EXPECT_TRUE(HasBackward(*pair));
  EXPECT_EQ(BackwardStage(*pair), StageId(6));
}

TEST(Token, OldLetters) {
  EXPECT_EQ(ParseToken("2B1", Letters::kOld)->kind, ActionKind::kInputGrad);
  EXPECT_EQ(ParseToken("2BW1", Letters::kOld)->kind, ActionKind::kBackward);
  EXPECT_FALSE(ParseToken("2I1", Letters::kOld));
  EXPECT_FALSE(ParseToken("2BW1"));
}

TEST(Token, BadOnesSayWhatWasExpected) {
  for (const char* text : {"",
                           "F",
                           "0",
                           "0F",
                           "F0",
                           "0X1",
                           "-1F0",
                           "0F-1",
                           "+0F0",
                           "0F0x",
                           "0f0",
                           "0 F0",
                           "(0F0)",
                           "(0F0;1B0)",
                           "(0F0;1B0)OVERLAP",
                           "(0F0;1I0)OVERLAP_F_B",
                           "(1B0;0F0)OVERLAP_F_B",
                           "()",
                           "(;)OVERLAP_F_B",
                           ")(",
                           "(",
                           "\"0F0\"",
                           "99999999999999999999F0",
                           "0F99999999999999999999",
                           "1048576F0",
                           "0F16777216",
                           "\xff\xfe"}) {
    const auto action = ParseToken(text);
    ASSERT_FALSE(action) << text;
    EXPECT_THAT(action.error().message,
                testing::AnyOf(testing::HasSubstr("expected"), testing::HasSubstr("write B")));
  }
  for (const char* text : {"0SEND_F0", "0RECV_B1", "0UNSHARD", "0REDUCE_GRAD"}) {
    EXPECT_THAT(ParseToken(text).error().message, testing::HasSubstr("compute-only")) << text;
  }
}

}  // namespace
}  // namespace pipescope::schedules
