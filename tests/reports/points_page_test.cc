#include "reports/points_page.h"

#include <gtest/gtest.h>

namespace pipescope::reports {
namespace {

SweepPoint Point(int64_t index, const std::string& value, double seconds, int64_t memory) {
  SweepPoint point;
  point.index = index;
  point.overrides = {{"communication.sms", value}};
  point.figures.step_time = Seconds(seconds);
  point.figures.memory_peak = Bytes(memory);
  point.figures.memory_limit = Bytes(int64_t{80} << 30);
  point.figures.fits = memory <= int64_t{80} << 30;
  point.figures.schedule = "1f1b";
  return point;
}

constexpr int64_t kGiB = int64_t{1} << 30;

// The plain tables are the page's words: they say what the packed data says.
TEST(PointsPage, SweepTellsFrontMemoryAndRefusal) {
  SweepPoint refused = Point(3, "9<b>", 0, 0);
  refused.error = "communication.sms: <b>9</b> is odd";
  const std::string page = SweepPage({Point(0, "8", 2, 60 * kGiB), Point(1, "16", 1, 70 * kGiB),
                                      Point(2, "32", 0.5, 90 * kGiB), refused},
                                     {"a.yaml", "pipescope sweep a.yaml", "1"});
  EXPECT_NE(page.find("Fastest: 1.000 s a step with communication.sms = 16"), std::string::npos);
  EXPECT_NE(page.find("4 points: 2 fit, 1 do not fit in memory, 1 are refused"), std::string::npos);
  EXPECT_NE(page.find("<td>does not fit</td>"), std::string::npos);
  EXPECT_NE(page.find("&lt;b>9&lt;/b> is odd"), std::string::npos);
  EXPECT_EQ(page.find("<b>9"), std::string::npos);
}

TEST(PointsPage, NoPointFits) {
  const std::string page =
      SweepPage({Point(0, "8", 2, 90 * kGiB)}, {"a.yaml", "pipescope sweep a.yaml", "1"});
  EXPECT_NE(page.find("None is a plan to run"), std::string::npos);
}

PlanEntry Entry(int pipeline, double seconds, int64_t memory) {
  PlanEntry entry;
  entry.choice.gpus = 64;
  entry.choice.pipeline = pipeline;
  entry.choice.schedule = "dualpipe";
  entry.choice.recompute = "none";
  entry.figures.step_time = Seconds(seconds);
  entry.figures.memory_peak = Bytes(memory);
  return entry;
}

// A plan that is among the fastest and on the front is one point.
TEST(PointsPage, PlanListsEachOnce) {
  PlanReport r;
  r.experiment = "v3";
  r.limit = Bytes(80 * kGiB);
  r.tokens = 1000;
  r.counts.considered = 9;
  r.counts.simulated = 4;
  r.best = {Entry(4, 1, 70 * kGiB), Entry(8, 2, 75 * kGiB)};
  r.front = {Entry(4, 1, 70 * kGiB), Entry(16, 3, 20 * kGiB)};
  const std::string page = PlanPage(r, {"a.yaml", "pipescope plan a.yaml", "1"});
  size_t rows = 0;
  for (size_t at = page.find("<td>64</td>"); at != std::string::npos;
       at = page.find("<td>64</td>", at + 1)) {
    ++rows;
  }
  EXPECT_EQ(rows, 3U);
  EXPECT_NE(page.find("4 of 9 plans had to be simulated"), std::string::npos);
  EXPECT_NE(page.find("To be second costs"), std::string::npos);
}

}  // namespace
}  // namespace pipescope::reports
