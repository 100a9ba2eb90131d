// The text of `schedule show`, as a person sees it.
#include <algorithm>

#include "reports/schedule_json.h"
#include "reports/schedule_text.h"
#include "reports/schedule_timeline.h"
#include "tests/schedules/testing.h"

namespace pipescope::schedules {
namespace {

using testing::HasSubstr;

std::string Timeline(const Schedule& schedule, const Costs& costs) {
  const auto prepared = Prepare(schedule);
  return reports::TimelineText(schedule, *prepared, Evaluate(*prepared, costs));
}

TEST(Timeline, OneFOneB) {
  EXPECT_EQ(Timeline(MakeSchedule("1f1b", 3, 4), UniformCosts(1, 1, 1)),
            "time      0        3        6        9        12       15\n"
            "rank 0    F0 F1 F2 ............B0--- F3 B1--- ...B2--- ...B3---\n"
            "rank 1    ...F0 F1 ......B0--- F2 B1--- F3 B2--- ...B3--- ......\n"
            "rank 2    ......F0 B0--- F1 B1--- F2 B2--- F3 B3--- ............\n");
}

TEST(Timeline, PairsAndLaterStages) {
  EXPECT_EQ(Timeline(MakeSchedule("dualpipe", 2, 4), UniformCosts(1, 1, 1)),
            "time      0        3        6        9\n"
            "rank 0    F0 f2 F1 b2--- f3&B0--- b3--- I1 W1\n"
            "rank 1    F2 f0 F3 b0--- f1&B2--- b1--- I3 W3\n");
}

TEST(Timeline, WideOnesAreCutAndSaySo) {
  const std::string text = Timeline(MakeSchedule("1f1b", 4, 500), UniformCosts(1, 1, 1));
  EXPECT_THAT(text, HasSubstr("cut at time 150 of 1509, where 160 columns end\n"));
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = text.find('\n', begin);
    EXPECT_LE(end - begin, 160u);
    begin = end + 1;
  }
}

TEST(Timeline, ManyRanksAreCutAndSaySo) {
  EXPECT_THAT(Timeline(MakeSchedule("gpipe", 100, 2), UniformCosts(1, 1, 1)),
              HasSubstr("ranks 64 to 99 are not shown\n"));
}

TEST(Timeline, OddCostsDoNotBreakIt) {
  for (const Costs& costs : {UniformCosts(0, 0, 0), UniformCosts(1e-9, 1, 1e15),
                             UniformCosts(0, 1, 0, 7), UniformCosts(1e15, 1e15, 1e15, 1e15)}) {
    for (const Family& family : Families()) {
      EXPECT_FALSE(Timeline(MakeSchedule(family.name, 4, 8), costs).empty());
    }
  }
}

TEST(Json, KeysAreTheContracts) {
  const Schedule schedule = MakeSchedule("dualpipev", 2, 4);
  const auto prepared = Prepare(schedule);
  Costs costs;
  costs.forward = {1, 2, 3, 4};
  const auto json = nlohmann::ordered_json::parse(
      reports::ScheduleJson(schedule, *prepared, costs, Evaluate(*prepared, costs)));
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  EXPECT_THAT(
      keys, testing::ElementsAre("schedule", "ranks", "stages", "microbatches", "costs", "makespan",
                                 "span", "busy", "bubble", "peak_activations", "actions"));
  EXPECT_EQ(json["costs"]["F"], nlohmann::json({1, 2, 3, 4}));
  EXPECT_EQ(json["costs"]["B"], 2);
  EXPECT_TRUE(json["costs"]["FB"].is_null());
  EXPECT_EQ(json["actions"].size(), 2u);
  EXPECT_EQ(json["actions"][0][7], "(0F3;3B1)OVERLAP_F_B");
}

}  // namespace
}  // namespace pipescope::schedules
