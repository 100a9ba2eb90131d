// pipescope trace show: what it answers, and what it refuses.
#include <nlohmann/json.hpp>

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

}  // namespace
}  // namespace pipescope::cli
