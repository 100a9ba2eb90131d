#include "schedules/csv.h"

#include <random>

#include "schedules/check.h"
#include "tests/schedules/testing.h"

namespace pipescope::schedules {
namespace {

std::string ErrorOf(const std::string& text) {
  const auto csv = ParseCsv(text, "order.csv");
  return csv ? "no error" : csv.error().ToString();
}

TEST(Csv, RoundTrip) {
  for (const char* file : {"dualpipev_4rank_10mb.csv", "gen_DualPipe_4x8.csv", "gen_1F1B_4x8.csv",
                           "gen_ZBV_4x4.csv", "gen_InterleavedZB_2x8_v2.csv"}) {
    const std::string text = ReadData(file);
    EXPECT_EQ(ToCsv(FromCsv(text)), text) << file;
  }
  for (const Family& family : Families()) {
    const Schedule schedule = MakeSchedule(family.name, 4, 12);
    const Schedule again = FromCsv(ToCsv(schedule));
    EXPECT_EQ(again.actions, schedule.actions) << family.name;
    EXPECT_EQ(again.stages, schedule.stages);
    EXPECT_EQ(again.microbatches, schedule.microbatches);
    EXPECT_EQ(again.name, "csv");
  }
}

TEST(Csv, BlanksCarryNoMeaning) {
  const Schedule plain = FromCsv("0F0,0B0\n1F0,1B0\n");
  EXPECT_EQ(FromCsv("\xEF\xBB\xBF"
                    "0F0,,,0B0,\r\n, 1F0\t,1B0\r\n\r\n\n")
                .actions,
            plain.actions);
  EXPECT_EQ(FromCsv("0F0,0B0\n1F0,1B0").actions, plain.actions);
}

TEST(Csv, OldLetters) {
  // PyTorch's own artifact has idle cells and B for the input gradient.
  const auto csv = ParseCsv(ReadData("zb1p_2rank_2stagep_compute.csv"), "zb1p.csv");
  ASSERT_TRUE(csv);
  EXPECT_TRUE(csv->old_letters);
  EXPECT_EQ(ToCsv(csv->schedule), ReadData("gen_InterleavedZB_2x8_v2.csv"));

  const auto full = ParseCsv("0F0,0F1,0BW0,0B1,0W1\n", "f.csv");
  ASSERT_TRUE(full);
  EXPECT_TRUE(full->old_letters);
  EXPECT_EQ(Order(full->schedule, 0), "0F0,0F1,0B0,0I1,0W1");
}

TEST(Csv, TodaysLettersWhereThereIsASecondReading) {
  for (const char* text : {"0F0,0B0\n", "0F0,0I0,0W0,0F1,0B1\n", "0F0,0B0,0F1,0B1,0W1\n"}) {
    const auto csv = ParseCsv(text, "f.csv");
    ASSERT_TRUE(csv);
    EXPECT_FALSE(csv->old_letters) << text;
    EXPECT_EQ(ToCsv(csv->schedule), text);
  }
}

TEST(Csv, ErrorsNameFileLineAndCell) {
  EXPECT_EQ(ErrorOf("0F0,0B0\n1F0,,1Q0\n"),
            "order.csv:2:3: cell 3: '1Q0': expected an action such as 3F0, 3I0, 3W0, 3B0 or "
            "(0F7;7B3)OVERLAP_F_B");
  EXPECT_EQ(ErrorOf(""), "order.csv: is empty; expected a row of actions for every rank");
  EXPECT_EQ(ErrorOf("\n\r\n"), "order.csv: is empty; expected a row of actions for every rank");
  EXPECT_EQ(ErrorOf(",,\n,"), "order.csv: has no actions, only empty cells");
  EXPECT_THAT(ErrorOf("0F0,0SEND_F0\n"), testing::HasSubstr("compute-only"));
  EXPECT_THAT(ErrorOf("0F0,0I0,0W0,0F1,0BW1\n"), testing::HasSubstr("old letter BW"));
  EXPECT_THAT(ErrorOf(std::string(70000, '\n') + "0F0"),
              testing::HasSubstr("more than 65536 rows"));
  EXPECT_THAT(ErrorOf(std::string("0F0\0,0B0", 8)), testing::HasSubstr("order.csv:1:1"));
}

TEST(Csv, DamageGivesErrorsOrFindings) {
  std::mt19937 random(7);
  const std::vector<std::string> originals = {ReadData("dualpipev_4rank_10mb.csv"),
                                              ReadData("gen_ZBV_4x4.csv"),
                                              ReadData("zb1p_2rank_2stagep_compute.csv")};
  const std::string letters = "0123456789FIWB,;()\n_OVERLAP \"-\xff";
  int broken = 0;
  for (int i = 0; i < 6000; ++i) {
    std::string text = originals[static_cast<size_t>(i) % originals.size()];
    for (auto hits = 1 + random() % 3; hits > 0; --hits) {
      const size_t at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text[at] = letters[random() % letters.size()];
          break;
        case 1:
          text.erase(at, 1 + random() % 9);
          break;
        case 2:
          text.insert(at, text.substr(random() % text.size(), random() % 12));
          break;
        default:
          text.resize(at + 1);
      }
    }
    const auto csv = ParseCsv(text, "order.csv");
    if (!csv) {
      EXPECT_FALSE(csv.error().message.empty());
      ++broken;
    } else if (Check(csv->schedule).empty()) {
      EXPECT_TRUE(Prepare(csv->schedule));
    } else {
      ++broken;
    }
  }
  EXPECT_GT(broken, 5000);
}

}  // namespace
}  // namespace pipescope::schedules
