// `pipescope schedule` end to end: what it prints and its exit codes.
#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <map>

#include "schedules/csv.h"
#include "sim/base/file.h"
#include "tests/schedules/testing.h"

namespace pipescope::schedules {
namespace {

using testing::HasSubstr;

struct Ran {
  int exit = -1;
  std::string out;
};

// stderr follows stdout.
Ran Pipescope(const std::string& arguments) {
  Ran ran;
  FILE* pipe = popen(("cli/pipescope schedule " + arguments + " 2>&1").c_str(), "r");
  char block[4096];
  while (const size_t n = fread(block, 1, sizeof block, pipe)) ran.out.append(block, n);
  const int status = pclose(pipe);
  ran.exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

std::string Write(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + name;
  std::ofstream(path) << text;
  return path;
}

TEST(ScheduleVerb, List) {
  const Ran ran = Pipescope("list");
  EXPECT_EQ(ran.exit, 0);
  for (const Family& family : Families())
    EXPECT_THAT(ran.out, HasSubstr(family.name + (family.aliases.empty() ? ":" : " (also zb1p):")));
}

TEST(ScheduleVerb, ShowText) {
  const Ran ran = Pipescope("show 1f1b --ranks 4 --microbatches 8");
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.out, HasSubstr("makespan      33"));
  EXPECT_THAT(ran.out, HasSubstr("closed form   bubble (p-1)(F+B) = 9: simulated 9, equal"));
  EXPECT_THAT(ran.out, HasSubstr("pipescope schedule show 1f1b --ranks 4 --microbatches 8\n"));
}

TEST(ScheduleVerb, ShowJson) {
  const Ran ran = Pipescope(
      "show dualpipe --ranks 8 --microbatches 20 --format json "
      "--cost F=10,I=12,W=8,FB=26,comm=0");
  EXPECT_EQ(ran.exit, 0);
  const auto json = nlohmann::json::parse(ran.out);
  EXPECT_EQ(json["makespan"], 616);
  EXPECT_EQ(json["bubble"]["per_rank"], nlohmann::json({52, 56, 60, 60, 60, 60, 56, 52}));
  EXPECT_EQ(json["peak_activations"], nlohmann::json({9, 9, 9, 9, 9, 9, 9, 9}));
  EXPECT_EQ(json["costs"]["B"], 20);
}

TEST(ScheduleVerb, ShowCsvAndReadItBack) {
  const std::string path = testing::TempDir() + "dualpipev.csv";
  EXPECT_EQ(Pipescope("show dualpipev --ranks 4 --microbatches 10 --format csv -o " + path).exit,
            0);
  EXPECT_EQ(*ReadFile(path), ReadData("dualpipev_4rank_10mb.csv"));
  EXPECT_EQ(Pipescope("check " + path).exit, 0);
  const Ran ran = Pipescope("show " + path + " --format json");
  EXPECT_EQ(ran.exit, 0);
  const auto json = nlohmann::json::parse(ran.out);
  EXPECT_EQ(json["schedule"], "csv");
  EXPECT_EQ(json["makespan"], 66);
  EXPECT_EQ(Pipescope("show " + path + " --format csv").out, ReadData("dualpipev_4rank_10mb.csv"));
  EXPECT_EQ(Pipescope("show " + path + " --ranks 4 --microbatches 10 --chunks 2").exit, 0);
  EXPECT_EQ(Pipescope("show " + path + " --ranks 5").exit, 2);
}

TEST(ScheduleVerb, CostsFromAFile) {
  const std::string path = Write("costs.json", R"({"F": [1, 1, 1, 5], "comm": 1})");
  const Ran ran = Pipescope("show 1f1b --ranks 4 --microbatches 8 --format json --cost " + path);
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(nlohmann::json::parse(ran.out)["busy"], nlohmann::json({24, 24, 24, 56}));
  const Ran few = Pipescope("show 1f1b --ranks 3 --microbatches 8 --cost " + path);
  EXPECT_EQ(few.exit, 2);
  EXPECT_THAT(few.out, HasSubstr("a list of 4 numbers"));
}

TEST(ScheduleVerb, CheckExplainsADeadlock) {
  const std::string path = Write("stuck.csv", "0F0,0B0,0F1,0B1\n1F0,1F1,1B0,1B1\n");
  const Ran ran = Pipescope("check " + path);
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.out, HasSubstr("2 ranks wait for each other"));
  const Ran show = Pipescope("show " + path);
  EXPECT_EQ(show.exit, 2);
  EXPECT_THAT(show.out, HasSubstr("2 ranks wait for each other"));
}

TEST(ScheduleVerb, CheckReadsPyTorchsArtifacts) {
  const Ran ran = Pipescope("check " + DataPath("zb1p_2rank_2stagep_compute.csv"));
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.out, HasSubstr("old letters"));
}

TEST(ScheduleVerb, OptimizeText) {
  const Ran ran =
      Pipescope("optimize --ranks 4 --microbatches 8 --cost F=10,I=12,W=8,comm=1 --memory-limit 6");
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.out, HasSubstr("span          262"));
  EXPECT_THAT(ran.out, HasSubstr("lower bound   262 of the span: reached"));
  EXPECT_THAT(ran.out, HasSubstr("  1f1b               346          346       4\n"));
  EXPECT_THAT(ran.out, HasSubstr("  zb-h1              294          294       4\n"));
  EXPECT_THAT(ran.out, HasSubstr("comm=1 --memory-limit 6 --method search\n"));
}

TEST(ScheduleVerb, OptimizeJson) {
  for (const std::string method : {"heuristic", "search", "exact"}) {
    const Ran ran = Pipescope(
        "optimize --ranks 3 --microbatches 4 --cost F=10,I=12,W=8,comm=1 --format json --method " +
        method);
    EXPECT_EQ(ran.exit, 0);
    const auto json = nlohmann::json::parse(ran.out);
    EXPECT_EQ(json["method"], method);
    EXPECT_EQ(json["span"], 156);
    EXPECT_EQ(json["lower_bound"], method == "exact" ? 156 : 148);
    EXPECT_EQ(json["proven"], method == "exact");
    EXPECT_GT(json["searched"]["orders"], 11);
    EXPECT_EQ(json["compared"]["1f1b"]["span"], 188);
    EXPECT_EQ(json["actions"].size(), 3u);
  }
}

TEST(ScheduleVerb, OptimizeCsvIsReadBack) {
  const std::string path = testing::TempDir() + "optimized.csv";
  const std::string optimize = "optimize --ranks 4 --microbatches 8 --memory-limit 8 ";
  EXPECT_EQ(Pipescope(optimize + "--format csv -o " + path).exit, 0);
  EXPECT_EQ(Pipescope("check " + path).exit, 0);
  EXPECT_EQ(nlohmann::json::parse(Pipescope("show " + path + " --format json").out)["span"], 24);
  EXPECT_EQ(Pipescope(optimize + "--format csv").out, *ReadFile(path));
}

TEST(ScheduleVerb, OptimizeSaysWhatItCannotDo) {
  for (const auto& [arguments, expected] : std::map<std::string, std::string>{
           {"", "--ranks is required"},
           {"--ranks 0 --microbatches 4", "--ranks 0: expected 1"},
           {"--ranks 4 --microbatches 999999", "at most 2097152 are optimized"},
           {"--ranks 4 --microbatches 8 --memory-limit 0.5", "--memory-limit 0.5: expected"},
           {"--ranks 4 --microbatches 8 --memory-limit nan", "--memory-limit nan: expected"},
           {"--ranks 4 --microbatches 8 --input-grad-frees 2", "a share from 0 to 1"},
           {"--ranks 4 --microbatches 8 --method exact --time-limit 0", "--time-limit 0"},
           {"--ranks 4 --microbatches 30 --method exact", "5220 binary unknowns"},
           {"--ranks 4 --microbatches 8 --cost F=-1", "expected a number from 0"},
           {"--ranks 4 --microbatches 8 --method magic", "--method"}}) {
    const Ran ran = Pipescope("optimize " + arguments);
    EXPECT_EQ(ran.exit, 2) << arguments;
    EXPECT_THAT(ran.out, HasSubstr(expected));
  }
}

TEST(ScheduleVerb, LowersAndReadsLowered) {
  const Ran ran = Pipescope("show " + DataPath("zb1p_2rank_2stagep_compute.csv") +
                            " --merge --format csv --comms");
  EXPECT_EQ(ran.exit, 0);
  const std::string path = Write("lowered.csv", ran.out);
  const Ran check = Pipescope("check " + path);
  EXPECT_EQ(check.exit, 0);
  EXPECT_THAT(check.out, HasSubstr("sound: 2 ranks, 4 stages, 8 micro-batches; lowered, 113 unit"));
  EXPECT_EQ(Pipescope("check " + DataPath("zb1p_2rank_2stagep_comms.csv")).exit, 0);
  const Ran show = Pipescope("show " + path);
  EXPECT_EQ(show.exit, 0);
  EXPECT_THAT(show.out, HasSubstr("a lowered order"));
  // Timing sees the same compute actions, and lowering them again gives the same file.
  EXPECT_EQ(Pipescope("show " + path + " --format csv --comms").out, ran.out);
  const Ran sharded = Pipescope(
      "show 1f1b --ranks 2 --microbatches 2 --format csv --comms --unshard 3 --reduce-grad");
  EXPECT_THAT(sharded.out, HasSubstr("0UNSHARD,0F0,0SEND_F0,"));
  EXPECT_THAT(sharded.out, HasSubstr("1REDUCE_GRAD,1RESHARD\n"));
  const std::string stuck = Write("stuck_lowered.csv",
                                  "0F0,0SEND_F0,0F1,0SEND_F1,0RECV_B0,0B0,0RECV_B1,0B1\n"
                                  "1RECV_F0,1F0,1B0,1SEND_B0,1RECV_F1,1F1,1B1,1SEND_B1\n");
  EXPECT_EQ(Pipescope("check " + stuck).exit, 1);
  EXPECT_EQ(Pipescope("show " + stuck).exit, 2);
  EXPECT_EQ(Pipescope("show 1f1b --ranks 2 --microbatches 2 --comms").exit, 2);
}

TEST(ScheduleVerb, SeveralOnOneAxis) {
  const std::string several = "show 1f1b,zb1p,dualpipe --ranks 4 --microbatches 8";
  const Ran text = Pipescope(several);
  EXPECT_EQ(text.exit, 0);
  EXPECT_THAT(text.out, HasSubstr("\n1f1b: makespan 33, bubble 27.3 %, peak activations 4\n"));
  EXPECT_THAT(text.out, HasSubstr("\nzb1p: makespan 27, bubble 11.1 %, peak activations 4\n"));
  EXPECT_THAT(text.out, HasSubstr("reproduce     pipescope schedule " + several + "\n"));
  const Ran svg = Pipescope(several + " --format svg");
  EXPECT_EQ(svg.exit, 0);
  EXPECT_EQ(svg.out.find("<svg "), 0u);
  EXPECT_THAT(svg.out, HasSubstr(">dualpipe<"));
}

TEST(ScheduleVerb, BadUsageExitsTwo) {
  for (const char* arguments :
       {"", "frobnicate", "show", "show dualpip --ranks 4 --microbatches 8", "show 1f1b",
        "show 1f1b --ranks 4", "show 1f1b --ranks 0 --microbatches 4",
        "show 1f1b --ranks x --microbatches 4", "show 1f1b --ranks 4 --microbatches 4 --format png",
        "show 1f1b,zb1p --ranks 4 --microbatches 4 --format json",
        "show 1f1b, --ranks 4 --microbatches 4",
        "show 1f1b --ranks 99999999999999999999 --microbatches 4", "show missing.csv",
        "show 1f1b --ranks 4 --microbatches 4 --cost G=1",
        "show 1f1b --ranks 4 --microbatches 4 "
        "--cost ''",
        "show dualpipe --ranks 3 --microbatches 8", "check", "check missing.csv",
        "show 1f1b --ranks 4 --microbatches 4 -o /no/such/place/x.csv"}) {
    const Ran ran = Pipescope(arguments);
    EXPECT_EQ(ran.exit, 2) << arguments << "\n" << ran.out;
    EXPECT_FALSE(ran.out.empty());
  }
  EXPECT_EQ(Pipescope("check " + Write("bad.csv", "0F0,nonsense\n")).exit, 2);
  EXPECT_THAT(Pipescope("show dualpip --ranks 4 --microbatches 8").out,
              HasSubstr("did you mean 'dualpipe'?"));
}

TEST(ScheduleVerb, HelpLeadsWithExamples) {
  for (const char* arguments :
       {"--help", "list --help", "show --help", "check --help", "optimize --help"}) {
    const Ran ran = Pipescope(arguments);
    EXPECT_EQ(ran.exit, 0);
    EXPECT_EQ(ran.out.find("Examples:"), 0u) << ran.out.substr(0, 200);
  }
}

}  // namespace
}  // namespace pipescope::schedules
