// Input that is wrong: exit 2, one line with file, line and field, and no output file.
#include <filesystem>

#include "tests/cli/run.h"

namespace pipescope::cli {
namespace {

class BadInput : public CliTest {
 protected:
  // compare with all its outputs asked for.
  void ExpectCompareRefused(const std::string& experiment, const std::string& schedules,
                            const std::vector<std::string>& parts) {
    ExpectRefused({"compare", experiment, "--schedules", schedules, "--html", "r.html", "--trace",
                   "t.json", "--json", "r.json", "-o", "r.txt"},
                  parts);
  }

  void ExpectSetRefused(const std::string& override, const std::vector<std::string>& parts) {
    ExpectRefused({"simulate", V3(), "--set", override, "--html", "r.html", "-o", "r.txt"}, parts);
  }

  // The small experiment or its topology, spoiled in one place.
  void ExpectSpoiled(const std::string& experiment, const std::string& topology,
                     const std::vector<std::string>& parts) {
    Write("small.yaml", experiment);
    Write("small_topology.yaml", topology);
    ExpectCompareRefused("small.yaml", "1f1b,zb1p", parts);
  }
};

TEST_F(BadInput, MissingExperiment) {
  ExpectCompareRefused("no.yaml", "1f1b", {"no.yaml: cannot be opened: No such file or directory"});
}

TEST_F(BadInput, TheSmallExperimentIsSound) {
  Write("small.yaml", SmallExperiment());
  Write("small_topology.yaml", SmallTopology());
  const Ran ran = Run({"compare", "small.yaml", "--schedules", "1f1b,zb1p"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
}

TEST_F(BadInput, SlicesOfSequencesAreNotSimulated) {
  Write("small.yaml", SmallExperiment());
  Write("small_topology.yaml", SmallTopology());
  ExpectCompareRefused("small.yaml", "1f1b,seq1f1b",
                       {"schedule seq1f1b: cuts sequences into 2 slices", "not modelled"});
}

TEST_F(BadInput, AsynchronousSchedulesAreOutOfScope) {
  Write("small.yaml", SmallExperiment());
  Write("small_topology.yaml", SmallTopology());
  ExpectCompareRefused("small.yaml", "pipedream", {"'pipedream' is out of scope: asynchronous"});
}

TEST_F(BadInput, WrongUnitInTheTopology) {
  ExpectSpoiled(SmallExperiment(), SmallTopology("400 Gbps", "400 GB"),
                {"small_topology.yaml:16:8: node.nic: '400 GB'", "'400 Gbps'"});
  ExpectSpoiled(SmallExperiment(), SmallTopology("160 GB/s", "160"),
                {"small_topology.yaml:13:11: node.nvlink: '160'", "unit"});
}

TEST_F(BadInput, UnknownKeyNamesTheNearest) {
  ExpectSpoiled(
      SmallExperiment("global_batch", "globl_batch"), SmallTopology(),
      {"small.yaml:11:16: training.globl_batch: unknown name; did you mean 'global_batch'?"});
  ExpectSpoiled(SmallExperiment(), SmallTopology("nics: 4", "nicks: 4"),
                {"small_topology.yaml:15:10: node.nicks: unknown name; did you mean 'nics'?"});
}

TEST_F(BadInput, MissingKey) {
  ExpectSpoiled(SmallExperiment("  global_batch: 64\n", ""), SmallTopology(),
                {"small.yaml:10:3: training.global_batch: is missing"});
}

TEST_F(BadInput, AKeyGivenTwice) {
  ExpectSpoiled(SmallExperiment("data: 4", "pipeline: 4"), SmallTopology(),
                {"small.yaml:7:3: key 'pipeline' is given twice"});
}

TEST_F(BadInput, TooManyStages) {
  ExpectSpoiled(SmallExperiment("pipeline: 4\n  data: 4\n  expert: 4",
                                "pipeline: 64\n  data: 1\n  expert: 1"),
                SmallTopology("nodes: 4", "nodes: 16"),
                {"small.yaml:6:3: parallel: pipeline = 64 does not fit: the model 'deepseek_v3' "
                 "has 61 layers"});
}

TEST_F(BadInput, MoreGpusThanTheTopology) {
  ExpectSpoiled(SmallExperiment("pipeline: 4", "pipeline: 8"), SmallTopology(),
                {"small.yaml:6:3: parallel: pipeline x data = 8 x 4 = 32 GPUs do not fit", "16"});
}

TEST_F(BadInput, OddPipelineForDualpipe) {
  Write("small.yaml", SmallExperiment("pipeline: 4", "pipeline: 3"));
  Write("small_topology.yaml", SmallTopology());
  ExpectCompareRefused("small.yaml", "1f1b,dualpipe",
                       {"small.yaml:6:13: parallel.pipeline: 3", "even number of ranks"});
}

TEST_F(BadInput, TooFewMicroBatchesForDualpipe) {
  Write("small.yaml", SmallExperiment("global_batch: 64", "global_batch: 16"));
  Write("small_topology.yaml", SmallTopology());
  ExpectCompareRefused("small.yaml", "dualpipe",
                       {"small.yaml:11:17: training.global_batch: 16 / (data x micro_batch_size) "
                        "= 4: dualpipe needs at least twice the ranks"});
}

TEST_F(BadInput, ExpertDoesNotDivide) {
  ExpectSpoiled(SmallExperiment("expert: 4", "expert: 3"), SmallTopology(),
                {"small.yaml:8:11: parallel.expert: 3 does not divide data = 4"});
}

TEST_F(BadInput, BatchDoesNotDivide) {
  ExpectSpoiled(SmallExperiment("global_batch: 64", "global_batch: 63"), SmallTopology(),
                {"small.yaml:11:17: training.global_batch: 63"});
}

TEST_F(BadInput, MoreMemoryThanTheGpu) {
  ExpectSpoiled(SmallExperiment("enforce: false", "enforce: true"),
                SmallTopology("81559 MiB", "8 GiB"),
                {"small.yaml: schedule 1f1b needs ", "more than the 8.00 GiB of a H800"});
  ExpectSetRefused("training.micro_batch_size=2",
                   {"deepseek_v3_h800.yaml: schedule dualpipe needs ", "more than the 79.65 GiB"});
}

TEST_F(BadInput, UnknownSchedule) {
  ExpectCompareRefused(V3(), "1f1b,dualpip", {"schedule dualpip", "did you mean 'dualpipe'?"});
  Write("small.yaml", SmallExperiment("schedule: 1f1b", "schedule: 1f1bb"));
  Write("small_topology.yaml", SmallTopology());
  ExpectRefused({"simulate", "small.yaml"},
                {"small.yaml:4:11: schedule: '1f1bb' is not a known schedule; did you mean"});
}

TEST_F(BadInput, UnknownModelAndTopology) {
  ExpectSetRefused("model=deepseek_v33", {"model: ", "did you mean 'deepseek_v3'?"});
  ExpectSetRefused("topology=h800_2048_fat_tre", {"did you mean 'h800_2048_fat_tree'?"});
}

TEST_F(BadInput, SetOnABadPath) {
  ExpectSetRefused("communication", {"--set 'communication': expected path=value"});
  ExpectSetRefused("=4", {"--set '=4': expected path=value"});
  ExpectSetRefused("training..precision=fp8", {"--set training..precision=fp8: expected a path"});
  ExpectSetRefused("name.x=1", {"--set name.x=1: 'x' is not inside a mapping"});
  ExpectSetRefused("layouts[7]=x", {"'[7]' does not name an item"});
  ExpectSetRefused("comunication.sms=4", {"comunication: unknown name; did you mean "});
  ExpectSetRefused("communication.sm=4", {"communication.sm: unknown name; did you mean 'sms'?"});
  ExpectSetRefused("communication.sms=many",
                   {"communication.sms: 'many': expected a whole number"});
  ExpectSetRefused("communication.sms=132", {"communication.sms: 132 leave none"});
}

TEST_F(BadInput, FilesThatAreNoText) {
  std::string binary;
  for (int i = 0; i < 4096; ++i) binary += static_cast<char>(i * 37 % 256);
  ExpectCompareRefused(Write("binary.yaml", binary), "1f1b", {"binary.yaml:"});
  std::string high;  // no NUL byte that would give it away
  for (int i = 0; i < 4096; ++i) high += static_cast<char>(128 + i * 37 % 128);
  ExpectCompareRefused(Write("high.yaml", high), "1f1b", {"high.yaml:"});
  ExpectCompareRefused(Write("empty.yaml", ""), "1f1b", {"empty.yaml: is empty"});
  ExpectCompareRefused(Write("blank.yaml", "\n# nothing\n"), "1f1b", {"blank.yaml"});
  ExpectCompareRefused(Write("list.yaml", "[1, 2]"), "1f1b", {"list.yaml:1:1: ", "a mapping"});
  ExpectCompareRefused(Write("cut.yaml", "name: {a: 1"), "1f1b",
                       {"cut.yaml", "opened on line 1 is not closed"});
}

TEST_F(BadInput, ADirectory) {
  ExpectCompareRefused(".", "1f1b", {".: is a directory; expected a file"});
  ExpectRefused({"simulate", V3(), "--html", "."}, {".: is a directory; expected a file"});
  ExpectSetRefused("topology=./", {"is a directory; expected a file"});
}

TEST_F(BadInput, AnOutputThatCannotBeWrittenLeavesNone) {
  ExpectRefused({"compare", V3(), "--schedules", "1f1b,dualpipe", "--html", "r.html", "--trace",
                 "nowhere/t.json"},
                {"nowhere/t.json: cannot be written: No such file or directory"});
  ExpectRefused({"simulate", V3(), "--html", "r.html", "-o", "nowhere/r.txt"},
                {"nowhere/r.txt: cannot be written"});
  ExpectRefused({"simulate", V3(), "--html", "one", "--trace", "one"},
                {"one: is named for two outputs"});
}

TEST_F(BadInput, AFullDisk) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  ExpectRefused({"simulate", V3(), "--html", "/dev/full"},
                {"/dev/full: cannot be written: No space left on device"});
  const Ran ran = Run({"simulate", V3(), "--html", "r.html"}, "/dev/full");
  EXPECT_EQ(ran.exit, 2);
  EXPECT_EQ(ran.err,
            "pipescope: error: standard output cannot be written: No space left on device\n");
  EXPECT_EQ(Made(), std::vector<std::string>{});
  EXPECT_EQ(Run({"--help"}, "/dev/full").exit, 2);
}

TEST_F(BadInput, StepsBeyondTheClockAndTheMemory) {
  ExpectSpoiled(SmallExperiment("global_batch: 64", "global_batch: 268435456"), SmallTopology(),
                {"small.yaml:11:17: training.global_batch: "});
  ExpectSpoiled(SmallExperiment() + "costs: {kernel_gap: 999999 s}\n", SmallTopology(),
                {"small.yaml: the step's operations take "});
  ExpectSpoiled(SmallExperiment() + "costs: {sm_copy: 1 B/s}\n", SmallTopology(),
                {"small.yaml: the step's operations take "});
}

}  // namespace
}  // namespace pipescope::cli
