// What the command line says about itself: completion, man page, examples that run, suffixes.
#include <gmock/gmock.h>

#include <filesystem>
#include <sstream>

#include "tests/cli/run.h"

namespace pipescope::cli {
namespace {

using testing::Contains;
using testing::HasSubstr;

class Manual : public CliTest {
 protected:
  // What bash offers after the words typed, the last of which may be empty.
  std::vector<std::string> Offered(const std::vector<std::string>& words) {
    Write("complete.sh",
          "source ./pipescope.bash\nCOMP_WORDS=(\"$@\")\nCOMP_CWORD=$(($# - 1))\n"
          "_pipescope\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n");
    Write("pipescope.bash", Run({"completion", "bash"}).out);
    std::string command = "cd " + folder + " && bash complete.sh";
    for (const std::string& word : words) command += " '" + word + "'";
    EXPECT_EQ(std::system((command + " > offered 2>&1").c_str()), 0);
    std::vector<std::string> offered;
    std::istringstream lines(Read("offered"));
    for (std::string line; std::getline(lines, line);) offered.push_back(line);
    return offered;
  }

  static bool Has(const char* program) {
    return std::system((std::string("command -v ") + program + " > /dev/null").c_str()) == 0;
  }
};

TEST_F(Manual, BashOffersVerbsOptionsAndValues) {
  EXPECT_THAT(Offered({"pipescope", "sim"}), testing::ElementsAre("simulate"));
  EXPECT_THAT(Offered({"pipescope", "schedule", ""}), Contains("show"));
  EXPECT_THAT(Offered({"pipescope", "simulate", "--expl"}), testing::ElementsAre("--explain"));
  EXPECT_THAT(Offered({"pipescope", "simulate", "--fidelity", ""}),
              testing::ElementsAre("schedule", "op", "flow"));
  EXPECT_THAT(Offered({"pipescope", "schedule", "show", "--format", "s"}),
              testing::ElementsAre("svg"));
  Write("my.yaml", "");
  EXPECT_THAT(Offered({"pipescope", "simulate", "my"}), testing::ElementsAre("my.yaml"));
  EXPECT_THAT(Offered({"pipescope", "simulate", "x.yaml", "--html", "my"}),
              testing::ElementsAre("my.yaml"));
}

TEST_F(Manual, ScriptsAreSoundInTheirShells) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const Ran ran = Run({"completion", shell});
    EXPECT_EQ(ran.exit, 0);
    EXPECT_THAT(ran.out, HasSubstr("simulate"));
    EXPECT_THAT(ran.out, HasSubstr("sensitivity"));
    Write("script", ran.out);
    if (!Has(shell)) continue;
    const std::string check = std::string(shell) + " -n " + folder + "/script";
    EXPECT_EQ(std::system(check.c_str()), 0) << shell;
  }
  ExpectRefused({"completion", "bas"}, {"bas", "did you mean 'bash'?"});
}

TEST_F(Manual, ThePageNamesEveryVerbAndFormats) {
  const Ran ran = Run({"man"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_TRUE(ran.out.starts_with(".TH PIPESCOPE 1 ")) << ran.out.substr(0, 80);
  for (const char* part : {".SH SYNOPSIS", "pipescope schedule show", "\\-\\-sensitivity",
                           ".SH EXIT STATUS", "NO_COLOR"}) {
    EXPECT_THAT(ran.out, HasSubstr(part));
  }
  // Every request is one that man(7) knows; no line of text became one.
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('.')) continue;
    EXPECT_THAT(line.substr(0, line.find(' ')),
                testing::AnyOf(".TH", ".SH", ".SS", ".TP", ".PP", ".RS", ".RE", ".nf", ".fi"))
        << line;
  }
  if (!Has("groff")) return;
  Write("pipescope.1", ran.out);
  const std::string render = "cd " + folder + " && groff -man -Tutf8 -ww pipescope.1 >page 2>said";
  EXPECT_EQ(std::system(render.c_str()), 0);
  EXPECT_EQ(Read("said"), "");
}

// The commands under "Examples:" of a verb's help, and of all verbs inside it.
void CollectExamples(const std::string& help, std::vector<std::string>& commands) {
  std::istringstream lines(help);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line) && line.starts_with("  pipescope ")) {
    commands.push_back(line.substr(12));
  }
}

std::vector<std::string> VerbsIn(const std::string& help) {
  std::vector<std::string> verbs;
  const size_t at = help.find("Subcommands:\n");
  if (at == help.npos) return verbs;
  std::istringstream lines(help.substr(at));
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line) && line.starts_with("  ")) {
    if (line[2] != ' ') verbs.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  return verbs;
}

// What takes long, measures the machine or needs a GPU has tests of its own.
bool HasItsOwnTest(const std::string& command) {
  for (const char* verb :
       {"kernels", "calibrate", "validate", "regress", "sweep", "plan", "schedule optimize",
        "simulate experiments/deepseek_v3_h800.yaml --sens"}) {
    if (command.starts_with(verb)) return true;
  }
  return command.find_first_of("'&|>") != command.npos ||  // more shell than one command
         command.find("--fidelity flow") != command.npos;
}

std::vector<std::string> WordsOf(const std::string& command) {
  std::istringstream line(command);
  std::vector<std::string> words;
  for (std::string word; line >> word;) words.push_back(word);
  return words;
}

// Examples that name a file of the reader's own (my_cluster.yaml, order.csv) miss just that; all
// others run as they stand.
TEST_F(Manual, ExamplesRun) {
  std::filesystem::create_directories(folder + "/experiments");
  for (const char* file : {"deepseek_v3_h800.yaml", "deepseek_v3_h800_profile.json"}) {
    std::filesystem::copy(Shipped(std::string("experiments/") + file),
                          folder + "/experiments/" + file);
  }
  std::vector<std::string> commands;
  const std::string help = Run({"--help"}).out;
  CollectExamples(help, commands);
  const std::vector<std::string> verbs = VerbsIn(help);
  EXPECT_GE(verbs.size(), 14u);
  for (const std::string& verb : verbs) {
    const std::string inner = Run({verb, "--help"}).out;
    CollectExamples(inner, commands);
    for (const std::string& part : VerbsIn(inner)) {
      CollectExamples(Run({verb, part, "--help"}).out, commands);
    }
  }
  std::sort(commands.begin(), commands.end());
  commands.erase(std::unique(commands.begin(), commands.end()), commands.end());
  int well = 0;
  for (const std::string& command : commands) {
    if (HasItsOwnTest(command)) continue;
    const Ran ran = Run(WordsOf(command));
    if (ran.exit == 0) {
      ++well;
    } else {
      EXPECT_THAT(ran.err, HasSubstr("cannot be opened: No such file")) << "pipescope " << command;
      EXPECT_EQ(ran.err.find("experiments/deepseek_v3_h800.yaml: cannot"), ran.err.npos);
    }
  }
  EXPECT_GE(well, 20) << "of " << commands.size();
}

TEST_F(Manual, SuffixesInOptionsAndExperiments) {
  const Ran plain = Run({"schedule", "show", "gpipe", "--ranks", "2", "--microbatches", "1000"});
  const Ran short_form = Run({"schedule", "show", "gpipe", "--ranks", "2", "--microbatches", "1k"});
  EXPECT_EQ(short_form.exit, 0) << short_form.err;
  EXPECT_EQ(plain.out, short_form.out);
  EXPECT_EQ(Run({"model", "show", "deepseek_v3", "--sequence", "4Ki"}).out,
            Run({"model", "show", "deepseek_v3", "--sequence", "4096"}).out);
  const std::vector<std::string> dry = {"simulate",
                                        V3(),
                                        "--dry-run",
                                        "--set",
                                        "training.sequence_length=4Ki",
                                        "--set",
                                        "training.global_batch=15.36k"};
  const Ran set = Run(dry);
  EXPECT_EQ(set.exit, 0) << set.err;
  EXPECT_THAT(set.out,
              HasSubstr("sequence_length: 4096, micro_batch_size: 1, global_batch: 15360"));
  ExpectRefused({"schedule", "show", "gpipe", "--ranks", "2", "--microbatches", "1.5"}, {"1.5"});
  ExpectRefused({"schedule", "show", "gpipe", "--ranks", "2.0001k", "--microbatches", "4"}, {""});
}

// The plan is an experiment itself: read again it says the same.
TEST_F(Manual, ADryRunWritesNothingAndCanBeReadBack) {
  const Ran dry = Run({"simulate", V3(), "--dry-run", "--html", "r.html", "--json", "r.json"});
  ASSERT_EQ(dry.exit, 0) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("would write: r.html\n"));
  EXPECT_THAT(dry.out, HasSubstr("# would simulate dualpipe: "));
  EXPECT_TRUE(Made().empty());
  EXPECT_THAT(dry.out, HasSubstr("\ncosts: {gemm_main_loop: 0.742, "));
  Write("again.yaml", dry.out);
  const Ran again = Run({"simulate", "again.yaml", "--dry-run"});
  EXPECT_EQ(again.exit, 0) << again.err;
  EXPECT_EQ(again.out, dry.out.substr(0, dry.out.find("# would write")));
  ExpectRefused({"simulate", V3(), "--dry-run", "--schedule", "dualpip"},
                {"did you mean 'dualpipe'?"});
  ExpectRefused({"simulate", V3(), "--dry-run", "--set", "parallel.pipelin=8"}, {"pipeline"});
}

TEST_F(Manual, CompareExplainsUnderEachSchedule) {
  const Ran ran = Run({"compare", V3(), "--schedules", "1f1b,dualpipe", "--explain", "bubble"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  const size_t second = ran.out.find("\n\ndualpipe\n");
  ASSERT_NE(second, ran.out.npos) << ran.out;
  EXPECT_THAT(ran.out.substr(0, second), testing::StartsWith("1f1b\n"));
  for (const char* name : {"1f1b", "dualpipe"}) {
    const Ran alone = Run({"simulate", V3(), "--schedule", name, "--explain", "bubble"});
    EXPECT_THAT(ran.out, HasSubstr(std::string(name) + "\n" + alone.out));
  }
}

TEST_F(Manual, ADryRunKeepsWhatWasSet) {
  const Ran dry = Run({"simulate", V3(), "--dry-run", "--set", "costs.kernel_gap=1.5 us", "--set",
                       "what_if.slow_gpus=[\"5 x 1.25\"]", "--set", "costs.sm_copy=20 GB/s"});
  ASSERT_EQ(dry.exit, 0) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("kernel_gap: 1500000 ps"));
  EXPECT_THAT(dry.out, HasSubstr("slow_gpus: [\"5 x 1.25\"]"));
  Write("again.yaml", dry.out);
  const Ran again = Run({"simulate", "again.yaml", "--dry-run"});
  EXPECT_EQ(again.exit, 0) << again.err;
  EXPECT_EQ(again.out, dry.out.substr(0, dry.out.find("# set")) +
                           dry.out.substr(dry.out.find("# would simulate")));
}

TEST_F(Manual, NoColourWhereStderrIsNoTerminal) {
  environment["NO_COLOR"] = "1";
  const Ran ran = Run({"simulate", V3(), "--set", "what_if.slow_gpus=[\"5 x 2\"]", "--set",
                       "training.global_batch=4096"});
  EXPECT_EQ(ran.err.find('\033'), ran.err.npos);
  EXPECT_EQ(ran.err.find('\r'), ran.err.npos);
}

}  // namespace
}  // namespace pipescope::cli
