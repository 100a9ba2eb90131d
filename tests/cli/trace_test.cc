// pipescope trace show: what it answers, and what it refuses.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/run.h"

namespace pipescope::cli {
namespace {

using Json = nlohmann::json;

class TraceShow : public CliTest {
 protected:
  const std::string small_ = Shipped("tests/sim/trace/data/small_trace.json");
};

TEST_F(TraceShow, SaysHowMuchCommunicationIsHidden) {
  const Ran ran = Run({"trace", "show", small_});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  for (const char* part :
       {"NVIDIA H800 with 132 SMs, rank 3 of 64: 11 operations in 202.0 us, 2.000 us of it idle\n",
        "84.0 % of it beside computation, 32.00 us exposed\n", "combine(B)", "grouped GEMM",
        "0.3 % of the time is in kernels whose names no rule knows.\n"}) {
    EXPECT_NE(ran.out.find(part), std::string::npos) << ran.out << "\nlacks " << part;
  }
}

TEST_F(TraceShow, Json) {
  const Ran ran = Run({"trace", "show", small_, "--format", "json"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  const Json json = Json::parse(ran.out);
  EXPECT_DOUBLE_EQ(json["span_s"].get<double>(), 202e-6);
  EXPECT_DOUBLE_EQ(json["hidden_share"].get<double>(), 0.84);
  EXPECT_EQ(json["streams"].size(), 3u);
  EXPECT_EQ(json["streams"][2]["lane"], "communication");
  EXPECT_EQ(json["world_size"], 64);
  EXPECT_EQ(json["phases"][1]["name"], "attn(F)");
  EXPECT_EQ(Run({"trace", "show", small_, "--format", "json"}).out, ran.out);
}

TEST_F(TraceShow, WhatATraceDoesNotSayIsNull) {
  const std::string bare =
      Write("bare.json",
            "[{\"ph\": \"X\", \"cat\": \"kernel\", \"name\": \"a\\nb\", \"ts\": 1, \"dur\": 0, "
            "\"args\": {\"stream\": 0}}]");
  const Json json = Json::parse(Run({"trace", "show", bare, "--format", "json"}).out);
  for (const char* key : {"device", "sms", "rank", "world_size", "hidden_share"}) {
    EXPECT_TRUE(json[key].is_null()) << key;
  }
  EXPECT_TRUE(json["phases"][0]["name"].is_null());
  EXPECT_EQ(Run({"trace", "show", bare}).exit, 0);
}

TEST_F(TraceShow, RefusesInOneLine) {
  ExpectRefused({"trace", "show", "gone.json"}, {"gone.json: cannot be opened"});
  ExpectRefused({"trace", "show", "."}, {"is a directory"});
  ExpectRefused({"trace", "show", Write("cut.json", "{\"traceEvents\": [\n{\"ph\": \"X")},
                {"cut.json:2:", "is cut off"});
  ExpectRefused({"trace", "show", small_, "--format", "html"}, {"--format", "html"});
  ExpectRefused({"trace"}, {"trace: a verb is missing"});
}

TEST_F(TraceShow, ImportGivesCostsThatAStepIsMadeOf) {
  const std::string v3 = V3();
  const std::string profile = folder + "/" + Write("profile.json", "");
  const Ran import = Run({"trace", "import", small_, "--of", v3, "-o", profile});
  ASSERT_EQ(import.exit, 0) << import.err;
  const Ran step = Run({"simulate", v3, "--set", "costs.profile=" + profile});
  ASSERT_EQ(step.exit, 0) << step.err;
  // A made-up phase of 90 us is no large part of a step, but it is one.
  EXPECT_NE(step.out.find("; measured "), std::string::npos) << step.out;
  EXPECT_EQ(step.out.find("; measured 0.0 %"), std::string::npos) << step.out;
  const Ran none = Run({"trace", "import", small_});
  EXPECT_EQ(none.exit, 0);
  EXPECT_NE(none.err.find("no phases"), std::string::npos) << none.err;
  ExpectRefused({"simulate", v3, "--set", "costs.profile=" + small_}, {"schema", "expected"});
}

TEST_F(TraceShow, Replay) {
  const Ran ran = Run({"trace", "show", small_, "--replay", "--format", "json"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  const Json json = Json::parse(ran.out);
  EXPECT_DOUBLE_EQ(json["replay"]["recorded_s"].get<double>(), 202e-6);
  EXPECT_NEAR(json["replay"]["replayed_s"].get<double>(), 202e-6, 4e-6);
  EXPECT_DOUBLE_EQ(json["span_s"].get<double>(), json["replay"]["replayed_s"].get<double>());
  const Ran faster = Run({"trace", "show", small_, "--scale", "dispatch=0.5"});
  EXPECT_NE(faster.out.find("Replay with dispatch x 0.5: "), std::string::npos) << faster.out;
  ExpectRefused({"trace", "show", small_, "--scale", "dispatchh=2"},
                {"'dispatchh'", "did you mean 'dispatch'?"});
  ExpectRefused({"trace", "show", small_, "--scale", "dispatch=-1"}, {"F from 0 to 1000"});
  ExpectRefused({"trace", "show", small_, "--scale", "dispatch"}, {"CLASS=F"});
}

TEST_F(TraceShow, PageAndPerfetto) {
  const Ran ran = Run({"trace", "show", small_, "--html", "r.html", "--trace", "t.json"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  const std::string page = Read("r.html");
  EXPECT_NE(page.find("The trace lasts 202.0 us. It is bound by computation"), std::string::npos);
  const Json events = Json::parse(Read("t.json"))["traceEvents"];
  EXPECT_EQ(std::count_if(events.begin(), events.end(),
                          [](const Json& e) { return e.value("cat", "") == "operation"; }),
            11);
}

// The small trace and itself with a clock that is 5 ms ahead.
TEST_F(TraceShow, SeveralRanks) {
  std::ostringstream whole;
  whole << std::ifstream(small_).rdbuf();
  std::string text = whole.str();
  for (size_t at = text.find("17404616794"); at != std::string::npos;
       at = text.find("17404616794", at + 1)) {
    const int64_t start = std::stoll(text.substr(at, 16)) + 5000;
    text.replace(at, 16, std::to_string(start));
  }
  const std::string other = Write("other.json", text);
  const Ran ran = Run({"trace", "show", small_, other, "--format", "json"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  const Json json = Json::parse(ran.out);
  EXPECT_EQ(json["ranks"].size(), 2u);
  EXPECT_DOUBLE_EQ(json["ranks"][1]["clock_ahead_s"].get<double>(), 5e-3);
  EXPECT_DOUBLE_EQ(json["alignment_error_s"].get<double>(), 0);
  EXPECT_DOUBLE_EQ(json["ranks"][0]["computing_s"].get<double>(), 168e-6);
  EXPECT_EQ(json["ranks"][0]["bubble_s"], json["ranks"][1]["bubble_s"]);
  EXPECT_NE(Run({"trace", "show", small_, other}).out.find("5.000 ms"), std::string::npos);
  const std::string bare =
      Write("bare.json",
            "[{\"ph\": \"X\", \"cat\": \"kernel\", \"name\": \"a\", \"ts\": 1, \"dur\": 1, "
            "\"args\": {\"stream\": 0}}]");
  ExpectRefused({"trace", "show", small_, bare}, {"bare.json: has no collective or message"});
  ExpectRefused({"trace", "show", small_, other, "--replay"}, {"are for one trace"});
}

// DeepSeek's H800 trace, which is not ours to ship: its path in PIPESCOPE_H800_TRACE.
TEST_F(TraceShow, ReplayOfTheH800Trace) {
  const char* const path = std::getenv("PIPESCOPE_H800_TRACE");
  if (path == nullptr) GTEST_SKIP() << "no PIPESCOPE_H800_TRACE";
  const Json was = Json::parse(Run({"trace", "show", path, "--format", "json"}).out);
  const Json is = Json::parse(Run({"trace", "show", path, "--replay", "--format", "json"}).out);
  EXPECT_NEAR(is["span_s"].get<double>(), 129.0e-3, 0.02 * 129.0e-3);
  EXPECT_NEAR(is["hidden_share"].get<double>(), 0.963, 0.02);
  std::map<std::string, double> means;
  for (const Json& phase : was["phases"]) means[phase["name"]] = phase["mean_s"];
  EXPECT_EQ(means.size(), 10u);
  for (const Json& phase : is["phases"]) {
    const double mean = means[phase["name"]];
    EXPECT_NEAR(phase["mean_s"].get<double>(), mean, 0.1 * mean) << phase["name"];
  }
}

}  // namespace
}  // namespace pipescope::cli
