// Every verb that writes, on a full disk, a file that may not grow, a folder that may not be
// written, under Ctrl-C and kill -9: exit codes are right, and nothing half-written stays.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "tests/cli/run.h"

namespace pipescope::cli {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

struct Writer {
  const char* name;
  Words arguments;  // OUT stands for the file that is written, V3 and others for inputs
};

const Writer kWriters[] = {
    {"simulate_json", {"simulate", "V3", "--json", "OUT"}},
    {"simulate_html", {"simulate", "V3", "--html", "OUT"}},
    {"simulate_trace", {"simulate", "V3", "--trace", "OUT"}},
    {"simulate_output", {"simulate", "V3", "-o", "OUT"}},
    {"simulate_explain", {"simulate", "V3", "--explain", "memory", "-o", "OUT"}},
    {"compare_html", {"compare", "V3", "--schedules", "1f1b,dualpipe", "--html", "OUT"}},
    {"schedule_show",
     {"schedule", "show", "1f1b", "--ranks", "8", "--microbatches", "64", "--format", "svg", "-o",
      "OUT"}},
    {"topology_export", {"topology", "export", "h800_2048_fat_tree", "--to", "dot", "-o", "OUT"}},
    {"model_show", {"model", "show", "deepseek_v3", "--kernels", "-o", "OUT"}},
    {"comm",
     {"comm", "h800_2048_fat_tree", "--pattern", "all-gather", "--gpus", "16", "-o", "OUT"}},
    {"trace_show", {"trace", "show", "TRACE", "--html", "OUT"}},
    {"trace_import", {"trace", "import", "TRACE", "-o", "OUT"}},
    {"topology_import", {"topology", "import", "MATRIX", "-o", "OUT"}},
    {"report", {"report", "STORED", "-o", "OUT"}},
    {"regress_junit", {"regress", "--baseline", "BASELINE", "--junit", "OUT"}},
    {"regress_markdown", {"regress", "--baseline", "BASELINE", "--markdown", "OUT"}},
    {"schedule_optimize",
     {"schedule", "optimize", "--ranks", "2", "--microbatches", "4", "-o", "OUT"}},
    {"validate_html",
     {"validate", "--model", "micro", "--repetitions", "1", "--microbatches", "2", "--schedules",
      "1f1b", "--html", "OUT"}},
    {"validate_trace",
     {"validate", "--model", "micro", "--repetitions", "1", "--microbatches", "2", "--schedules",
      "1f1b", "--trace", "OUT"}},
    {"calibrate", {"calibrate", "--kernel", "rope", "-o", "OUT"}},
    {"plan",
     {"plan", "V3", "--pipeline", "16", "--tensor", "1", "--expert", "64", "--micro-batch", "1",
      "--schedules", "dualpipe", "--sms", "20", "-o", "OUT"}},
    {"plan_html",
     {"plan", "V3", "--pipeline", "16", "--tensor", "1", "--expert", "64", "--micro-batch", "1",
      "--schedules", "dualpipe", "--sms", "20", "--html", "OUT"}},
    {"sweep_html",
     {"sweep", "V3", "--grid", "parallel.pipeline=16", "--schedules", "1f1b", "--html", "OUT"}},
};

class Write : public CliTest, public testing::WithParamInterface<Writer> {
 protected:
  Words With(const std::string& out) {
    Words words = GetParam().arguments;
    for (std::string& word : words) {
      if (word == "OUT") word = out;
      if (word == "V3") word = V3();
      if (word == "TRACE") word = Shipped("tests/sim/trace/data/small_trace.json");
      if (word == "MATRIX") word = Shipped("tests/topology/data/dgx_h100x8_mlx5cols.txt");
      if (word == "BASELINE") word = Shipped("tests/regress/example_workspace/baseline.json");
      if (word == "STORED") {
        Run({"simulate", V3(), "--json", "stored.json"});
        word = CliTest::Write("stored.json", Read("stored.json"));
      }
    }
    return words;
  }
  // Exit 2 and one line that says why; what stood in the file stands there still, and no other.
  void ExpectOldBytes(const Ran& ran, const std::string& why) {
    EXPECT_EQ(ran.exit, 2) << ran.signal << ran.err;
    // The limit is stderr's too, which imports fill with notes.
    if (ran.err.size() < 100) {
      EXPECT_THAT(ran.err, testing::HasSubstr(why));
    }
    EXPECT_EQ(Read("out"), "old");
    EXPECT_TRUE(Made().empty());
  }
};

TEST_P(Write, WritesAndReplaces) {
  CliTest::Write("out", "old");
  const Ran ran = Run(With("out"));
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_GT(Read("out").size(), 100u);
  EXPECT_TRUE(Made().empty());
}

TEST_P(Write, ToAFullDisk) {
  const Ran ran = Run(With("/dev/full"));
  EXPECT_EQ(ran.exit, 2) << ran.err;
  EXPECT_THAT(ran.err, testing::HasSubstr("/dev/full: cannot be written: No space left"));
}

TEST_P(Write, ToAFileThatMayNotGrow) {
  CliTest::Write("out", "old");
  const Words words = With("out");
  limits[RLIMIT_FSIZE] = 100;
  ExpectOldBytes(Run(words, "/dev/null"), "out: cannot be written: File too large");
}

TEST_P(Write, StdoutOnAFullDisk) {
  Words words = With("out");
  const Ran ran = Run(words, "/dev/full");
  if (ran.exit == 0) return;  // the verb prints nothing where it writes a file
  EXPECT_EQ(ran.exit, 2) << ran.err;
  EXPECT_THAT(ran.err, testing::HasSubstr("standard output cannot be written"));
  EXPECT_TRUE(Made().empty());
}

TEST_P(Write, IntoAFolderThatIsNotThere) {
  const Ran ran = Run(With("no/such/out"));
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, testing::HasSubstr("no/such/out: cannot be written: No such file"));
}

TEST_P(Write, IntoAFolderThatMayNotBeWritten) {
  if (geteuid() == 0) {
    // root may write everywhere but to /proc
    const Ran ran = Run(With("/proc/out"));
    EXPECT_EQ(ran.exit, 2);
    EXPECT_THAT(ran.err, testing::HasSubstr("/proc/out: cannot be written"));
    return;
  }
  CliTest::Write("locked/out", "old");
  fs::permissions(folder + "/locked", fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_EQ(Run(With("locked/new")).exit, 2);
  fs::permissions(folder + "/locked", fs::perms::owner_all);
}

INSTANTIATE_TEST_SUITE_P(Verbs, Write, testing::ValuesIn(kWriters),
                         [](const auto& instance) { return instance.param.name; });

class Dash : public CliTest {};

TEST_F(Dash, IsStandardOutput) {
  const Words words = {"model", "show", "deepseek_v3"};
  Words to_dash = words;
  to_dash.insert(to_dash.end(), {"-o", "-"});
  EXPECT_EQ(Run(to_dash).out, Run(words).out);
  EXPECT_TRUE(Made().empty());
}

TEST_F(Dash, IsNoFile) {
  const Ran ran = Run({"simulate", V3(), "--html", "-"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, testing::HasSubstr("'-': expected the name of a file"));
  EXPECT_TRUE(Made().empty());
}

// Ended at random moments: the file holds the old bytes or all of the new ones, and, whatever the
// signal, nothing lies beside it.
class Ended : public CliTest, public testing::WithParamInterface<int> {};

TEST_P(Ended, LeavesTheOldOrTheNewFile) {
  const Words words = {"simulate", V3(), "--html", "r.html", "--trace", "t.json"};
  ASSERT_EQ(Run(words).exit, 0);
  const std::string html = Read("r.html"), trace = Read("t.json");
  int interrupted = 0;
  for (useconds_t wait = 0; wait < 200'000; wait += 9'000) {
    Write("r.html", "old");
    Write("t.json", "old");
    const pid_t child = fork();
    if (child == 0) {
      if (chdir(folder.c_str()) != 0) _exit(126);
      const int nothing = open("/dev/null", O_WRONLY);
      dup2(nothing, STDOUT_FILENO);
      dup2(nothing, STDERR_FILENO);
      const std::string binary = Shipped("cli/pipescope"), v3 = V3();
      execl(binary.c_str(), binary.c_str(), "simulate", v3.c_str(), "--html", "r.html", "--trace",
            "t.json", nullptr);
      _exit(127);
    }
    usleep(wait);
    kill(child, GetParam());
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
      EXPECT_EQ(WTERMSIG(status), GetParam());
      ++interrupted;
    } else {
      EXPECT_EQ(WEXITSTATUS(status), 0);
    }
    EXPECT_TRUE(Read("r.html") == "old" || Read("r.html") == html) << Read("r.html").size();
    EXPECT_TRUE(Read("t.json") == "old" || Read("t.json") == trace) << Read("t.json").size();
    EXPECT_TRUE(Made().empty()) << Made().front();
  }
  EXPECT_GT(interrupted, 0);
}

INSTANTIATE_TEST_SUITE_P(Signals, Ended, testing::Values(SIGINT, SIGTERM, SIGKILL));

}  // namespace
}  // namespace pipescope::cli
