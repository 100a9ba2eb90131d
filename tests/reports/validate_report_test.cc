// What is said of predictions and runs: which schedules count as different, and which are ranked
// wrong.
#include "reports/validate_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace pipescope::reports {
namespace {

ValidateCase Case(const char* schedule, double predicted_ms, double measured_ms, double noise) {
  ValidateCase c;
  c.schedule = schedule;
  c.model = "small";
  c.ranks = 2;
  c.microbatches = 8;
  c.predicted = Milliseconds(predicted_ms);
  c.measured = Milliseconds(measured_ms);
  c.noise = noise;
  c.equals_one_rank = true;
  return c;
}

ValidateResult Result(std::vector<ValidateCase> cases) {
  ValidateResult result;
  result.cases = std::move(cases);
  return result;
}

// 100, 98 and 90 ms with 1.5 % noise: the first two are 2 ms apart, their noise is 2.97 ms.
TEST(ValidateReport, SchedulesWithinTheirNoiseAreNotRanked) {
  const auto result = Result({Case("gpipe", 97, 100, 0.015), Case("1f1b", 99, 98, 0.015),
                              Case("dualpipe", 91, 90, 0.015)});
  EXPECT_EQ(Rank(result).pairs, 2);
  EXPECT_TRUE(Rank(result).wrong.empty());
  EXPECT_EQ(
      RankingText(result),
      "2 pairs of schedules differ by more than the noise of runs and predictions, ranked right");
  EXPECT_NEAR(MeanError(result), (0.03 + 1 / 98. + 1 / 90.) / 3, 1e-9);
}

// Two steps of 1f1b were equal by chance: its noise is that of the others.
TEST(ValidateReport, FewStepsThatAgreeAreAsNoisyAsOthers) {
  const auto lucky = Case("1f1b", 99, 98, 0);
  EXPECT_EQ(Rank(Result({Case("gpipe", 97, 100, 0.015), lucky})).pairs, 0);
  EXPECT_EQ(Rank(Result({Case("gpipe", 97, 100, 0), lucky})).pairs, 1);
}

// Once for each model; nothing where messages take no processor time.
TEST(ValidateReport, WhatAMessageTakesIsSaidByModel) {
  auto result = Result({Case("gpipe", 97, 100, 0.015), Case("1f1b", 99, 98, 0.015)});
  EXPECT_THAT(ValidateText(result), testing::Not(testing::HasSubstr("A message of")));
  for (ValidateCase& c : result.cases) {
    c.send = Microseconds(8);
    c.receive = Microseconds(13);
    c.hop = Microseconds(17);
  }
  result.cases.push_back(result.cases.front());
  result.cases.back().model = "tiny";
  result.cases.back().hop = {};
  EXPECT_THAT(
      ValidateText(result),
      testing::HasSubstr(
          "\n\nA message of small takes 8.000 us of its sender's processor, 13.00 us of its "
          "receiver's, and 17.00 us between them.\n"
          "A message of tiny takes 8.000 us of its sender's processor, 13.00 us of its "
          "receiver's.\n\nMean error"));
  EXPECT_EQ(nlohmann::json::parse(ValidateJson(result))["cases"][1]["hop_s"], 17e-6);
}

TEST(ValidateReport, OfOneStepNoNoiseIsKnown) {
  auto result = Result({Case("gpipe", 97, 100, 0.015)});
  for (const int steps : {1, 2}) {
    result.cases.front().steps = steps;
    const bool known = ValidateText(result).find("1.5 %") != std::string::npos;
    EXPECT_EQ(known, steps == 2);
  }
}

TEST(ValidateReport, EmulatedTimesSayNothing) {
  auto result = Result({Case("gpipe", 97, 100, 0.015)});
  EXPECT_THAT(ValidateText(result), testing::Not(testing::HasSubstr("say nothing")));
  result.device = "emulated";
  EXPECT_THAT(ValidateText(result), testing::HasSubstr("rehearse a run"));
}

TEST(ValidateReport, RoundsAtAnotherSpeedAreTold) {
  auto result = Result({Case("gpipe", 97, 100, 0.015), Case("1f1b", 99, 98, 0.015)});
  EXPECT_THAT(ValidateText(result), testing::Not(testing::HasSubstr("another speed")));
  result.cases.back().other_speed = 31;
  EXPECT_THAT(ValidateText(result),
              testing::HasSubstr("Up to 31 rounds of a group do not count: the machine ran at "
                                 "another speed than in most.\n"));
}

TEST(ValidateReport, TheWorstOfThoseRankedWrongIsNamed) {
  const auto result = Result({Case("gpipe", 100, 110, 0.001), Case("1f1b", 102, 100, 0.001),
                              Case("zb1p", 101, 104, 0.001)});
  const Ranking ranking = Rank(result);
  EXPECT_EQ(ranking.pairs, 3);
  ASSERT_EQ(ranking.wrong.size(), 3u);
  EXPECT_EQ(ranking.wrong[0].faster, 1u);
  EXPECT_EQ(ranking.wrong[0].slower, 0u);
  EXPECT_NEAR(ranking.wrong[0].measured, 0.1, 1e-9);
  EXPECT_NEAR(ranking.wrong[0].predicted, -2 / 102., 1e-9);
  EXPECT_EQ(RankingText(result),
            "3 pairs of schedules differ by more than the noise of runs and predictions: 0 ranked "
            "right; gpipe (small, 2 ranks, 8 micro-batches) takes 10.0 % longer than 1f1b, "
            "predicted 2.0 % less");
  const auto json = nlohmann::json::parse(ValidateJson(result));
  EXPECT_EQ(json["rank_order_kept"], false);
  EXPECT_EQ(json["ranked_pairs"], 3);
  EXPECT_EQ(json["ranked_wrong"][0]["slower"], 0);
  EXPECT_EQ(json["ranked_wrong"][0]["clear"], true);
  EXPECT_EQ(json["clear_pairs"], 3);
}

// Runs are 10 and 6 ms apart beyond a noise of 0.2, predictions know themselves to 8.
TEST(ValidateReport, WhatPredictionsCannotTellApartIsSaid) {
  auto result = Result({Case("gpipe", 100, 110, 0.001), Case("1f1b", 102, 100, 0.001),
                        Case("zb1p", 98, 104, 0.001)});
  for (ValidateCase& c : result.cases) c.predicted_noise = 0.04;
  const Ranking ranking = Rank(result);
  EXPECT_EQ(ranking.pairs, 3);
  EXPECT_EQ(ranking.clear, 1);
  ASSERT_EQ(ranking.wrong.size(), 2u);
  EXPECT_TRUE(ranking.wrong[0].clear);
  EXPECT_FALSE(ranking.wrong[1].clear);
  EXPECT_THAT(RankingText(result),
              testing::StartsWith("3 pairs of schedules differ by more than the noise of runs, 1 "
                                  "of them by more than that of predictions too: 1 and 0 ranked "
                                  "right; gpipe"));
}

// Predicted as equal is not the other way round.
TEST(ValidateReport, EqualPredictionsRankNothingWrong) {
  const auto result = Result({Case("gpipe", 100, 110, 0.001), Case("1f1b", 100, 100, 0.001)});
  EXPECT_EQ(Rank(result).pairs, 1);
  EXPECT_TRUE(Rank(result).wrong.empty());
}

// Other sizes, ranks and micro-batches are other questions.
TEST(ValidateReport, OnlyWhatAnswersTheSameQuestionIsRanked) {
  auto cases = std::vector{Case("1f1b", 10, 20, 0), Case("zb1p", 20, 10, 0), Case("zbv", 30, 5, 0),
                           Case("gpipe", 40, 4, 0)};
  cases[1].model = "tiny";
  cases[2].ranks = 4;
  cases[3].microbatches = 16;
  EXPECT_EQ(Rank(Result(cases)).pairs, 0);
  EXPECT_EQ(RankingText(Result(cases)), "no schedules differ by more than the noise of runs");
}

TEST(ValidateReport, ALongNameMovesTheColumns) {
  const auto result = Result({Case("orders/of/mine/zero_bubble.csv", 10, 10, 0)});
  const std::string text = ValidateText(result);
  const size_t header = text.find("schedule");
  const size_t line = text.find("orders/of/mine");
  EXPECT_EQ(text.find("model", header) - header, text.find("small", line) - line);
  EXPECT_NE(text.find("equal those of one rank"), std::string::npos);
}

}  // namespace
}  // namespace pipescope::reports
