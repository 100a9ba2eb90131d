// Every verb explains itself: examples first, exit 0, on stdout.
#include "tests/cli/run.h"

namespace pipescope::cli {
namespace {

class Help : public CliTest, public testing::WithParamInterface<std::vector<std::string>> {};

TEST_P(Help, LeadsWithExamples) {
  std::vector<std::string> arguments = GetParam();
  arguments.push_back("--help");
  const Ran ran = Run(arguments);
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(ran.err, "");
  EXPECT_TRUE(ran.out.starts_with("Examples:\n  pipescope ")) << ran.out.substr(0, 200);
  std::string verb = "pipescope";
  for (const std::string& word : GetParam()) verb += " " + word;
  EXPECT_NE(ran.out.find("\n  " + verb), std::string::npos) << "no example of " << verb;
  EXPECT_NE(ran.out.find("--help"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Verbs, Help,
    testing::Values(
        std::vector<std::string>{}, std::vector<std::string>{"simulate"},
        std::vector<std::string>{"compare"}, std::vector<std::string>{"comm"},
        std::vector<std::string>{"regress"}, std::vector<std::string>{"model"},
        std::vector<std::string>{"sweep"}, std::vector<std::string>{"plan"},
        std::vector<std::string>{"model", "list"}, std::vector<std::string>{"model", "show"},
        std::vector<std::string>{"schedule"}, std::vector<std::string>{"schedule", "list"},
        std::vector<std::string>{"schedule", "show"}, std::vector<std::string>{"schedule", "check"},
        std::vector<std::string>{"topology"}, std::vector<std::string>{"topology", "list"},
        std::vector<std::string>{"topology", "show"}, std::vector<std::string>{"topology", "check"},
        std::vector<std::string>{"kernels"}, std::vector<std::string>{"kernels", "list"},
        std::vector<std::string>{"kernels", "check"}, std::vector<std::string>{"kernels", "bench"},
        std::vector<std::string>{"calibrate"}, std::vector<std::string>{"trace"},
        std::vector<std::string>{"trace", "show"}, std::vector<std::string>{"completion"},
        std::vector<std::string>{"man"}),
    [](const auto& instance) {
      std::string name = "pipescope";
      for (const std::string& word : instance.param) name += "_" + word;
      return name;
    });

class HelpText : public CliTest {};

TEST_F(HelpText, ListsEveryVerb) {
  const Ran ran = Run({"--help"});
  for (const char* verb :
       {"simulate", "compare", "regress", "model", "schedule", "topology", "comm", "kernels",
        "calibrate", "trace", "sweep", "plan", "completion", "man"}) {
    EXPECT_NE(ran.out.find(std::string("\n  ") + verb + " "), std::string::npos) << verb;
  }
}

TEST_F(HelpText, Version) {
  const Ran ran = Run({"--version"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(ran.out.find("0."), 0u) << ran.out;
}

TEST_F(HelpText, HasNoColour) { EXPECT_EQ(Run({"--help"}).out.find('\033'), std::string::npos); }

}  // namespace
}  // namespace pipescope::cli
