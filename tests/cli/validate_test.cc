// pipescope validate: what it answers and refuses. That losses equal one rank's is asserted; how
// near predictions come depends on who else uses the machine and is only reported.
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/cli/run.h"

namespace pipescope::cli {
namespace {

using Json = nlohmann::json;

class Validate : public CliTest {};

TEST_F(Validate, RunsSchedulesForRealAndTellsWhatTheyShould) {
  const Ran ran =
      Run({"validate", "--model", "micro,micro-dense", "--schedules", "1f1b,zb1p,dualpipe",
           "--ranks", "2,4", "--repetitions", "2", "--format", "json", "--json", "result.json"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  const Json json = Json::parse(ran.out);
  EXPECT_EQ(Json::parse(Read("result.json")), json);
  EXPECT_EQ(json["device"], "cpu");
  EXPECT_TRUE(json["machine"].is_string());
  EXPECT_TRUE(json["rank_order_kept"].is_boolean());
  ASSERT_EQ(json["cases"].size(), 12u);
  double sum = 0;
  for (const Json& c : json["cases"]) {
    const double predicted = c["predicted_s"], measured = c["measured_s"], error = c["error"];
    EXPECT_GT(predicted, 0);
    EXPECT_GT(measured, 0);
    EXPECT_NEAR(error, predicted / measured - 1, 1e-9);
    EXPECT_EQ(c["equals_one_rank"], true) << c;
    EXPECT_LT(c["last_loss"].get<double>(), c["first_loss"].get<double>());
    sum += std::fabs(error);
  }
  EXPECT_NEAR(json["mape"].get<double>(), sum / 12, 1e-9);
  // Schedules train the same model on the same text.
  EXPECT_EQ(json["cases"][0]["last_loss"], json["cases"][2]["last_loss"]);
}

// The run of --device cuda on a GPU that threads play: all but its kernels.
TEST_F(Validate, ADeviceThatThreadsPlay) {
  const Ran ran = Run({"validate", "--device", "emulated", "--model", "micro", "--schedules",
                       "1f1b,dualpipe", "--repetitions", "1", "--format", "json"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  const Json json = Json::parse(ran.out);
  EXPECT_EQ(json["device"], "emulated");
  ASSERT_EQ(json["cases"].size(), 2u);
  for (const Json& c : json["cases"]) {
    EXPECT_EQ(c["equals_one_rank"], true) << c;
    EXPECT_GT(c["predicted_s"], 0);
  }
}

TEST_F(Validate, SixteenRanksInBf16AsText) {
  const Ran ran =
      Run({"validate", "--model", "micro", "--schedules", "dualpipe", "--ranks", "16",
           "--microbatches", "32", "--layers", "16", "--repetitions", "1", "--bf16", "--fp8"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  for (const char* part : {"dualpipe", "Mean error", "equal those of one rank, to the bit"}) {
    EXPECT_NE(ran.out.find(part), std::string::npos) << ran.out;
  }
}

TEST_F(Validate, ExpertsOfTwoPipelinesBehindTheExchange) {
  const Ran ran = Run({"validate", "--model", "micro", "--schedules", "1f1b,dualpipe", "--dp", "2",
                       "--ep", "2", "--repetitions", "1", "--format", "json"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  const Json json = Json::parse(ran.out);
  ASSERT_EQ(json["cases"].size(), 2u);
  for (const Json& c : json["cases"]) {
    EXPECT_EQ(c["replicas"], 2);
    EXPECT_EQ(c["expert_ranks"], 2);
    EXPECT_EQ(c["equals_one_rank"], true) << c;
    EXPECT_GT(c["predicted_s"].get<double>(), 0);
  }
}

// An order of a file runs as its family does; the trace has each step twice.
TEST_F(Validate, AnOrderOfAFileAndATrace) {
  ASSERT_EQ(Run({"schedule", "show", "dualpipe", "--ranks", "2", "--microbatches", "8", "--format",
                 "csv", "-o", "order.csv"})
                .exit,
            0);
  const Ran ran = Run({"validate", "--model", "micro", "--schedules", "order.csv,dualpipe",
                       "--repetitions", "1", "--format", "json", "--trace", "trace.json"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  const Json cases = Json::parse(ran.out)["cases"];
  ASSERT_EQ(cases.size(), 2u);
  EXPECT_EQ(cases[0]["schedule"], "order.csv");
  EXPECT_EQ(cases[0]["equals_one_rank"], true);
  EXPECT_EQ(cases[0]["last_loss"], cases[1]["last_loss"]);
  std::set<std::string> names;
  std::map<int, int> actions;  // by process
  const Json trace = Json::parse(Read("trace.json"));
  for (const Json& event : trace["traceEvents"]) {
    if (event["name"] == "process_name") names.insert(event["args"]["name"].get<std::string>());
    if (event.value("cat", "") == "action") ++actions[event["pid"].get<int>()];
  }
  EXPECT_EQ(names.size(), 8u);
  EXPECT_TRUE(names.contains("order.csv, measured rank 1")) << testing::PrintToString(names);
  EXPECT_TRUE(names.contains("DualPipe, predicted rank 0")) << testing::PrintToString(names);
  for (const auto& [pid, count] : actions) EXPECT_EQ(count, actions.begin()->second) << pid;
  EXPECT_EQ(actions.size(), 8u);
  ExpectRefused({"validate", "--schedules", "order.csv", "--ranks", "4"},
                {"order.csv", "2 ranks and 8 micro-batches", "not 4 and 8",
                 "expected --ranks 2 --microbatches 8"});
  ExpectRefused({"validate", "--schedules", "no_such.csv"}, {"no_such.csv"});
}

TEST_F(Validate, RefusesWhatItCannotRun) {
  ExpectRefused({"validate", "--device", "emulated", "--fp8"}, {"--fp8", "expected --device cpu"});
  // Without a GPU for want of it, with one for want of kernels for heads of 12 channels.
  ExpectRefused({"validate", "--device", "cuda", "--model", "micro"}, {"GPU"});
  ExpectRefused({"validate", "--gpus", "2"}, {"--gpus", "expected --device cuda"});
  ExpectRefused({"validate", "--device", "cuda", "--gpus", "0"}, {"--gpus"});
  ExpectRefused({"validate", "--model", "smal"}, {"--model", "'smal'", "small"});
  ExpectRefused({"validate", "--schedules", "dualpip"}, {"dualpip", "dualpipe"});
  ExpectRefused({"validate", "--model", "micro", "--ranks", "4", "--layers", "2"},
                {"4 stages: expected --layers 4 or more"});
  ExpectRefused({"validate", "--model", "micro", "--schedules", "seq1f1b"}, {"slices"});
  ExpectRefused({"validate", "--dp", "4", "--ep", "3"}, {"--ep", "'3'", "divisor of --dp, 4"});
  ExpectRefused({"validate", "--ranks", "0"}, {"--ranks"});
  ExpectRefused({"validate", "--ranks", "64", "--dp", "64"}, {"4096 ranks", "at most 256"});
  ExpectRefused({"validate", "--hang-after", "nan"}, {"--hang-after", "'nan'"});
  ExpectRefused({"validate", "--patience", "nan"}, {"--patience", "'nan'"});
  ExpectRefused({"validate", "--communication-sms", "4"}, {"--communication-sms", "--device cuda"});
  ExpectRefused({"validate", "--schedules", "1f1b,dualpipe,1f1b"}, {"'1f1b'", "twice"});
  Write("cross.csv", "0F0,0B0,0F1,0B1\n1F1,1F0,1B0,1B1\n");
  ExpectRefused({"validate", "--schedules", "cross.csv", "--microbatches", "2"},
                {"cross.csv: deadlock: 2 ranks wait", "; rank 1 stands before 1F1", "; to break"});
}

// Of what takes an hour and cannot end well nothing is begun.
TEST_F(Validate, WhatWouldFailLaterIsRefusedAtOnce) {
  const std::vector<std::string> hours = {"validate", "--model", "medium", "--patience", "3600"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), hours.begin(), hours.end());
    return more;
  };
  ExpectRefused(with({"--json", "no_such/x.json"}), {"no_such/x.json", "cannot be written"});
  ExpectRefused(with({"--json", "x", "--html", "x"}), {"x: is named for two outputs"});
  ExpectRefused(with({"--json", "-"}), {"'-': expected the name of a file"});
  ExpectRefused(with({"-o", "."}), {".: is a directory"});
  ExpectRefused(with({"--ranks", "2,3", "--schedules", "1f1b,dualpipe"}),
                {"--ranks 3", "even number"});
  ExpectRefused({"calibrate", "-o", "no_such/p.json"}, {"no_such/p.json", "cannot be written"});
}

}  // namespace
}  // namespace pipescope::cli
