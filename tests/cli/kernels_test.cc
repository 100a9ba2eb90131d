// kernels list, check and bench, and calibrate, as a user runs them on a machine without a GPU.
#include <nlohmann/json.hpp>

#include "tests/cli/run.h"

namespace pipescope::cli {
namespace {

using Json = nlohmann::json;

class Kernels : public CliTest {};

TEST_F(Kernels, ListNamesBothDevices) {
  const Ran ran = Run({"kernels", "list"});
  EXPECT_EQ(ran.exit, 0);
  for (const char* part : {"fp8_gemm_forward", "cuBLASLt", "rms_norm", "cuda", "cpu"}) {
    EXPECT_NE(ran.out.find(part), std::string::npos) << part;
  }
  const Json json = Json::parse(Run({"kernels", "list", "--format", "json"}).out);
  EXPECT_GT(json["kernels"].size(), 20u);
  for (const Json& row : json["operations"]) {
    for (const auto& cell : row) EXPECT_NE(cell, "") << row;
  }
}

TEST_F(Kernels, CheckWritesWhatItFound) {
  const Ran ran = Run({"kernels", "check", "--kernel", "quantize", "--json", "c.json"});
  EXPECT_EQ(ran.exit, 0) << ran.out;
  const Json json = Json::parse(Read("c.json"));
  EXPECT_EQ(json["results"].size(), 4u);
  for (const Json& result : json["results"]) EXPECT_TRUE(result["well"]);
}

TEST_F(Kernels, BenchHasPositiveTimes) {
  const Ran ran = Run({"kernels", "bench", "--kernel", "swiglu_fast", "--format", "json"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  const Json json = Json::parse(ran.out);
  ASSERT_EQ(json["results"].size(), 1u);
  EXPECT_GT(json["results"][0]["time_s"], 0);
  EXPECT_GT(json["results"][0]["of_peak"], 0);
  EXPECT_GT(json["peaks"]["copy_gigabytes_per_second"], 0);
}

TEST_F(Kernels, CalibrateWritesAProfile) {
  EXPECT_EQ(Run({"calibrate", "--kernel", "fp8_gemm", "-o", "p.json"}).exit, 0);
  const Json json = Json::parse(Read("p.json"));
  EXPECT_EQ(json["schema"], "pipescope-profile/1");
  ASSERT_EQ(json["operations"].size(), 1u);
  EXPECT_EQ(json["operations"][0]["kind"], "gemm");
  EXPECT_GT(json["operations"][0]["mean_s"], 0);
}

// A job of one process meets itself; what it lacks then is a failed check.
TEST_F(Kernels, ExchangeNeedsAJob) {
  ExpectRefused({"kernels", "exchange"}, {"mpirun"});
  environment = {
      {"RANK", "0"}, {"WORLD_SIZE", "4"}, {"LOCAL_RANK", "0"}, {"LOCAL_WORLD_SIZE", "2"}};
  ExpectRefused({"kernels", "exchange"}, {"--meet"});
  ExpectRefused({"kernels", "exchange", "--meet", folder + "/meet", "--timeout", "1"},
                {"did not come: ranks 1, 2, 3"});
  environment = {
      {"RANK", "0"}, {"WORLD_SIZE", "1"}, {"LOCAL_RANK", "0"}, {"LOCAL_WORLD_SIZE", "1"}};
  const Ran ran =
      Run({"kernels", "exchange", "--meet", folder + "/meet", "--experts", "255", "--sms", "3"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.err, "pipescope: error: rank 0: sms: 3: expected 2 to 256, a multiple of 2\n");
}

TEST_F(Kernels, WhatCannotBeIsRefused) {
  ExpectRefused({"kernels", "bench", "--kernel", "no_such"}, {"--kernel", "no_such"});
  ExpectRefused({"kernels", "check", "--device", "tpu"}, {"--device", "tpu"});
  ExpectRefused({"kernels", "bench", "--interference", "--kernel", "rope"}, {"--interference"});
  ExpectRefused({"kernels"}, {"kernels: a verb is missing"});
}

}  // namespace
}  // namespace pipescope::cli
