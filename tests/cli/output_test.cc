// What comes out: the contract's keys, the same bytes every time, files that open.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/run.h"

namespace pipescope::cli {
namespace {

using Json = nlohmann::json;

class Output : public CliTest {};

void ExpectKeys(const Json& object, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) EXPECT_TRUE(object.contains(key)) << key;
}

void ExpectResult(const Json& r) {
  ExpectKeys(
      r, {"experiment", "schedule", "fidelity", "engine", "step_time_s", "tokens_per_second",
          "tokens_per_day", "mfu", "bubble", "breakdown_s", "memory_bytes", "bound_by", "ranks"});
  ExpectKeys(r["mfu"], {"causal", "non_causal"});
  ExpectKeys(r["bubble"], {"makespan_rate", "per_rank_s"});
  ExpectKeys(r["breakdown_s"], {"forward", "backward_input", "backward_weight", "overlapped",
                                "bubble", "optimizer", "exposed_communication"});
  EXPECT_EQ(r["bubble"]["per_rank_s"].size(), 16u);
  EXPECT_EQ(r["memory_bytes"].size(), 16u);
  EXPECT_EQ(r["ranks"].size(), 16u);
  for (const Json& rank : r["memory_bytes"]) {
    ExpectKeys(rank, {"parameters", "gradients", "optimizer", "activations_peak", "buffers",
                      "total_peak", "limit"});
  }
  double sum = 0;
  for (const auto& [name, seconds] : r["breakdown_s"].items()) sum += seconds.get<double>();
  EXPECT_NEAR(sum, r["step_time_s"].get<double>(), 1e-6);
}

// What tells GPUs apart is not seen at op: said, with its size where flow knows the plan; a plan
// that flow does not know, or would take minutes for, is answered all the same.
TEST_F(Output, OpWarnsWhereGpusDiffer) {
  const std::string batch = "training.global_batch=4096";
  const std::string slow = "what_if.slow_gpus=[\"5 x 2\"]";
  const Ran op = Run({"simulate", V3(), "--set", batch, "--set", slow});
  ASSERT_EQ(op.exit, 0) << op.err;
  EXPECT_THAT(op.err,
              testing::ContainsRegex("warning: dualpipe: .*flow the step takes .* \\+[0-9]"));
  const Ran flow = Run({"simulate", V3(), "--set", batch, "--set", slow, "--fidelity", "flow"});
  ASSERT_EQ(flow.exit, 0) << flow.err;
  EXPECT_EQ(flow.err, "");
  const Ran split = Run({"simulate", V3(), "--set", "training.global_batch=2048", "--set", slow,
                         "--set", "parallel.tensor=2", "--set", "parallel.data=64"});
  ASSERT_EQ(split.exit, 0) << split.err;
  EXPECT_THAT(split.err,
              testing::ContainsRegex("warning: dualpipe: .*flow the step takes .* \\+[0-9]"));
  const Ran skew = Run({"simulate", V3(), "--set", "what_if.expert_skew=0.2"});
  ASSERT_EQ(skew.exit, 0) << skew.err;
  EXPECT_THAT(skew.err, testing::HasSubstr("many minutes"));
}

TEST_F(Output, EngineSimGridIsForSmallFlows) {
  const Ran op = Run({"simulate", V3(), "--engine", "simgrid"});
  EXPECT_EQ(op.exit, 2);
  EXPECT_THAT(op.err, testing::HasSubstr("expected --fidelity flow"));
  const Ran large = Run({"simulate", V3(), "--engine", "simgrid", "--fidelity", "flow"});
  EXPECT_EQ(large.exit, 2);
  EXPECT_THAT(large.err, testing::HasSubstr("at most 128 GPUs, this one has 2048"));
}

TEST_F(Output, CompareJsonKeepsTheContract) {
  const Ran ran = Run({"compare", V3(), "--schedules", "1f1b,zb1p,dualpipe", "--format", "json"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.err, "");
  const Json json = Json::parse(ran.out);
  ASSERT_EQ(json["results"].size(), 3u);
  for (const Json& result : json["results"]) ExpectResult(result);
  EXPECT_EQ(json["results"][2]["experiment"], "deepseek_v3_h800");
}

// Where not one micro-batch fits beside the parameters, an automatic schedule is no error of the
// whole comparison, but one that does not fit.
TEST_F(Output, CompareGoesOnWhereAnAutomaticScheduleDoesNotFit) {
  const std::vector<std::string> options = {"--set", "memory.reserved=59.25 GiB", "--format",
                                            "json"};
  std::vector<std::string> words = {"compare", V3(), "--schedules", "zbv-auto,zb-auto"};
  words.insert(words.end(), options.begin(), options.end());
  const Ran ran = Run(words);
  ASSERT_EQ(ran.exit, 0) << ran.err;
  const Json json = Json::parse(ran.out);
  ASSERT_EQ(json["results"].size(), 2u);
  EXPECT_FALSE(json["results"][0]["fits_in_memory"]);
  EXPECT_TRUE(json["results"][1]["fits_in_memory"]);
  words[3] = "zbv-auto";
  ExpectRefused(words, {"schedule zbv-auto: rank ", " left for activations, and one micro-batch "});
}

// The file has one key more, from which `report` makes the page.
TEST_F(Output, SimulateJsonIsTheSameOnStdoutAndInAFile) {
  const Ran ran = Run({"simulate", V3(), "--format", "json", "--json", "r.json"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.err, "pipescope: wrote r.json\n");
  ExpectResult(Json::parse(ran.out));
  Json stored = Json::parse(Read("r.json"));
  EXPECT_EQ(stored.erase("report"), 1u);
  EXPECT_TRUE(stored == Json::parse(ran.out));
}

TEST_F(Output, ReportMakesThePageThatHtmlWrites) {
  const Ran ran = Run({"simulate", V3(), "--html", "r.html", "--json", "r.json"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  const Ran report = Run({"report", "r.json", "-o", "again.html"});
  ASSERT_EQ(report.exit, 0) << report.err;
  EXPECT_TRUE(Read("again.html") == Read("r.html"));
  EXPECT_EQ(Run({"report", V3(), "-o", "no.html"}).exit, 2);
}

TEST_F(Output, TheSameBytesOnEveryRun) {
  const std::vector<std::string> command = {
      "compare", V3(),     "--schedules", "1f1b,zb1p,dualpipe", "--html", "r.html", "--trace",
      "t.json",  "--json", "r.json"};
  const Ran first = Run(command);
  ASSERT_EQ(first.exit, 0) << first.err;
  const std::string html = Read("r.html"), trace = Read("t.json"), json = Read("r.json");
  const Ran second = Run(command);
  EXPECT_EQ(first.out, second.out);
  // Not EXPECT_EQ: it would print megabytes.
  EXPECT_TRUE(html == Read("r.html"));
  EXPECT_TRUE(trace == Read("t.json"));
  EXPECT_TRUE(json == Read("r.json"));
  EXPECT_EQ(Made(), (std::vector<std::string>{"r.html", "r.json", "t.json"}));
}

TEST_F(Output, TheTraceIsATrace) {
  ASSERT_EQ(Run({"simulate", V3(), "--trace", "t.json"}).exit, 0);
  const Json trace = Json::parse(Read("t.json"));
  const Json& events = trace.contains("traceEvents") ? trace["traceEvents"] : trace;
  ASSERT_GT(events.size(), 10000u);
  size_t slices = 0;
  for (const Json& event : events) {
    ExpectKeys(event, {"ph", "pid"});
    if (event["ph"] != "X") continue;
    ++slices;
    EXPECT_GE(event["dur"].get<double>(), 0);
  }
  EXPECT_GT(slices, 10000u);
}

TEST_F(Output, TheReportNeedsNothingBesideIt) {
  ASSERT_EQ(Run({"simulate", V3(), "--html", "r.html"}).exit, 0);
  const std::string html = Read("r.html");
  EXPECT_TRUE(html.starts_with("<!doctype html>")) << html.substr(0, 80);
  EXPECT_EQ(html.find("@@"), html.npos);
  for (const char* outside : {"<script src", "<link rel=\"stylesheet", "http://", "https://"}) {
    const size_t at = html.find(outside);
    EXPECT_EQ(at, html.npos) << html.substr(at == html.npos ? 0 : at, 120);
  }
}

TEST_F(Output, TextNamesTheCommandToReproduceIt) {
  const Ran ran = Run({"simulate", V3(), "--set",
                       "training={sequence_length: 2048, "
                       "global_batch: 15360, precision: fp8}"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  EXPECT_NE(ran.out.find("pipescope simulate " + V3() + " --set 'training={sequence_length: 2048"),
            ran.out.npos);
}

TEST_F(Output, NoColourInAFile) {
  EXPECT_EQ(Run({"simulate", V3()}).out.find('\033'), std::string::npos);
}

TEST_F(Output, AReaderThatStopsEarlyIsNoError) {
  // A pipe whose reader is gone: the first write fails.
  Write("close.sh",
        "set -o pipefail\n\"$1\" simulate \"$2\" --html r.html | true\n"
        "\"$1\" --help | true\n\"$1\" model list | head -0\n");
  const std::string command = "cd " + folder + " && bash -e close.sh '" + Shipped("cli/pipescope") +
                              "' '" + V3() + "' 2> said";
  EXPECT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(Read("said"), "pipescope: wrote r.html\n");
}

}  // namespace
}  // namespace pipescope::cli
