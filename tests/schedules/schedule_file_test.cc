#include "schedules/schedule_file.h"

#include "schedules/csv.h"
#include "sim/base/file.h"
#include "tests/schedules/testing.h"

namespace pipescope::schedules {
namespace {

std::string Write(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + name;
  EXPECT_TRUE(WriteFileAtomically(path, text));
  return path;
}

TEST(ScheduleFile, LoweredOrOld) {
  const auto lowered = JudgeScheduleFile(DataPath("zb1p_2rank_2stagep_comms.csv"));
  ASSERT_TRUE(lowered);
  EXPECT_EQ(lowered->steps, 113);
  EXPECT_THAT(lowered->Note(), testing::HasSubstr("a lowered order"));
  const auto old = ReadScheduleFile(DataPath("zb1p_2rank_2stagep_compute.csv"));
  ASSERT_TRUE(old);
  EXPECT_EQ(old->note, kOldLettersNote);
}

TEST(ScheduleFile, TheCommunicationOfALoweredOrderIsDropped) {
  const auto lowered = ReadScheduleFile(
      Write("lowered.csv", "0F0,0SEND_F0,0RECV_B0,0B0\n1RECV_F0,1F0,1B0,1SEND_B0\n"));
  ASSERT_TRUE(lowered) << lowered.error().ToString();
  EXPECT_EQ(ToCsv(lowered->schedule), "0F0,0B0\n1F0,1B0\n");
}

TEST(ScheduleFile, WhatCannotRunIsAnErrorOrAJudgement) {
  const std::string path = Write("hangs.csv", "0F0,0B0\n1B0,1F0\n");
  const auto read = ReadScheduleFile(path);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().ToString(), testing::HasSubstr("hangs.csv"));
  const auto judged = JudgeScheduleFile(path);
  ASSERT_TRUE(judged);
  EXPECT_FALSE(judged->findings.empty());
}

TEST(ScheduleFile, AMissingMessageIsFound) {
  const auto judged = JudgeScheduleFile(Write("half.csv", "0F0,0SEND_F0,0B0\n1RECV_F0,1F0,1B0\n"));
  ASSERT_TRUE(judged);
  ASSERT_FALSE(judged->findings.empty());
  EXPECT_THAT(judged->findings.front().message, testing::HasSubstr("0RECV_B0 is missing"));
}

TEST(ScheduleFile, Missing) {
  const auto read = ReadScheduleFile("no/such/file.csv");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().ToString(), testing::HasSubstr("cannot be opened"));
}

}  // namespace
}  // namespace pipescope::schedules
