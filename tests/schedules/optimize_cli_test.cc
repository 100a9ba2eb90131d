// `schedule optimize` and the automatic families from the command line.
#include <sys/wait.h>

#include <array>
#include <cstdio>

#include "tests/schedules/testing.h"

namespace pipescope::schedules {
namespace {

using testing::HasSubstr;

struct Ran {
  int exit = 0;
  std::string out;
};

Ran Pipescope(const std::string& arguments) {
  Ran ran;
  std::FILE* pipe = popen(("cli/pipescope " + arguments + " 2>&1").c_str(), "r");
  std::array<char, 4096> buffer;
  size_t read = 0;
  while ((read = fread(buffer.data(), 1, buffer.size(), pipe)) > 0) {
    ran.out.append(buffer.data(), read);
  }
  ran.exit = WEXITSTATUS(pclose(pipe));
  return ran;
}

nlohmann::json Json(const std::string& arguments) {
  const Ran ran = Pipescope(arguments + " --format json");
  EXPECT_EQ(ran.exit, 0) << ran.out;
  return nlohmann::json::parse(ran.out, nullptr, false);
}

TEST(OptimizeVerb, LimitsByRank) {
  const std::string size = "schedule optimize --ranks 3 --microbatches 6 --method heuristic ";
  const auto json = Json(size + "--memory-limit 3,2,1");
  EXPECT_EQ(json["memory_limit"], nlohmann::json({3, 2, 1}));
  EXPECT_EQ(json["peak_activations"][2], 1);
  const Ran two = Pipescope(size + "--memory-limit 3,2");
  EXPECT_EQ(two.exit, 2);
  EXPECT_THAT(two.out, HasSubstr("--memory-limit: 2 numbers; expected one, or one for each of 3"));
}

TEST(OptimizeVerb, VPlacementAndOverlap) {
  const auto v = Json("schedule optimize --ranks 4 --microbatches 8 --placement v");
  EXPECT_EQ(v["stages"], 8);
  EXPECT_EQ(v["span"], 48);
  EXPECT_TRUE(v["proven"]);
  const auto pairs = Json(
      "schedule optimize --ranks 4 --microbatches 10 --placement bidirectional --overlap "
      "--cost F=10,I=12,W=8,FB=24,comm=1");
  EXPECT_EQ(pairs["goal"], "makespan");
  EXPECT_LE(pairs["makespan"], pairs["compared"]["dualpipe"]["makespan"]);
  EXPECT_TRUE(pairs["compared"]["optimized"]["within_limit"]);
}

TEST(OptimizeVerb, InputsOfAnExperimentMakeAnOrderThatSimulates) {
  const std::string experiment = "experiments/deepseek_v3_h800.yaml";
  const std::string from = "schedule optimize --experiment " + experiment +
                           " --placement bidirectional --overlap --method heuristic ";
  const std::string path = testing::TempDir() + "order.csv";
  const Ran text = Pipescope(from);
  EXPECT_EQ(text.exit, 0) << text.out;
  EXPECT_THAT(text.out, HasSubstr("inputs of deepseek_v3_h800, each action alone: F "));
  EXPECT_THAT(text.out, HasSubstr("GiB of activations by rank"));
  EXPECT_EQ(Pipescope(from + "--format csv -o " + path).exit, 0);
  EXPECT_EQ(Pipescope("schedule check " + path).exit, 0);
  const Ran step = Pipescope("simulate " + experiment + " --schedule " + path);
  EXPECT_EQ(step.exit, 0) << step.out;
}

TEST(OptimizeVerb, SaysWhatDoesNotGoTogether) {
  for (const auto& [arguments, expected] : std::vector<std::pair<std::string, std::string>>{
           {"--ranks 4 --microbatches 8 --overlap", "--overlap: a pair is of a rank's two stages"},
           {"--experiment experiments/deepseek_v3_h800.yaml --ranks 4", "expected no --ranks"},
           {"--ranks 4 --microbatches 8 --set a=b", "--set: expected with --experiment only"},
           {"--ranks 3 --microbatches 8 --placement bidirectional", "expected an even number"},
           {"--ranks 2 --microbatches 4 --placement v --method exact", "--method exact: is for"}}) {
    const Ran ran = Pipescope("schedule optimize " + arguments);
    EXPECT_EQ(ran.exit, 2) << arguments;
    EXPECT_THAT(ran.out, HasSubstr(expected)) << arguments;
  }
}

TEST(ScheduleVerb, AutomaticFamiliesKeepTheirLimit) {
  const std::string show = "schedule show zb-auto --ranks 4 --microbatches 8 --memory-limit ";
  EXPECT_EQ(Json(show + "4")["span"], 27);
  EXPECT_EQ(Json(show + "8")["span"], 24);
  EXPECT_THAT(Pipescope(show + "6").out, HasSubstr("a memory limit of 6"));
  const Ran held = Pipescope("schedule show 1f1b --ranks 4 --microbatches 8 --memory-limit 3");
  EXPECT_EQ(held.exit, 2);
  EXPECT_THAT(held.out, HasSubstr("rank 0 of 1f1b holds 4 activations"));
  EXPECT_THAT(Pipescope("schedule list").out, HasSubstr("zbv-auto"));
}

}  // namespace
}  // namespace pipescope::schedules
