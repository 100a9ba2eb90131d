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
  ASSERT_EQ(json["operations"].size(), 4u);  // its own shape, and each size made smaller
  EXPECT_EQ(json["operations"][0]["kind"], "gemm");
  EXPECT_GT(json["operations"][0]["mean_s"], 0);
}

TEST_F(Kernels, PredictMeasuresWhatItPredicted) {
  const Ran ran = Run({"kernels", "predict", "--kernel", "router", "--json", "p.json"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  for (const char* part : {"between tokens: tokens", "beyond tokens: tokens", "mean error"}) {
    EXPECT_NE(ran.out.find(part), std::string::npos) << part;
  }
  const Json json = Json::parse(Read("p.json"));
  ASSERT_EQ(json["rows"].size(), 5u);  // 2 of the truth, 3 of the fast one
  for (const Json& row : json["rows"]) {
    EXPECT_GT(row["predicted_s"], 0);
    EXPECT_GT(row["measured_s"], 0);
    EXPECT_EQ(row["origin"], "interpolated");
  }
  EXPECT_EQ(json["kinds"][0]["rows"], 5);
}

// A profile of machine "m" with two times of a norm, and what of it is given besides.
std::string ProfileText(const std::string& operations) {
  return R"({"schema": "pipescope-profile/1", "device": "m", "sms": 0,
"machine": {"copy rate": "10 GB/s", "matrix rate": "1 TFLOPS"}, "operations": [)" +
         operations + "]}";
}

std::string Norm(int64_t bytes, double seconds) {
  const std::string t = std::to_string(seconds);
  return R"({"kind": "memory", "dtype": "fp32", "shape": {"bytes": )" + std::to_string(bytes) +
         R"(}, "sms": 0, "count": 2, "mean_s": )" + t + R"(, "min_s": )" + t + R"(, "max_s": )" +
         t + R"(, "std_s": 0, "name": "rms_norm", "source": "s"})";
}

TEST_F(Kernels, PredictFromFilesOfAKnownLaw) {
  const std::string p =
      Write("p.json", ProfileText(Norm(1'000'000, 0.002) + "," + Norm(4'000'000, 0.005)));
  const std::string m =
      Write("m.json", ProfileText(Norm(2'000'000, 0.003) + "," + Norm(6'000'000, 0.014)));
  const Ran ran = Run({"kernels", "predict", "--profile", p, "--measured", m, "--format", "json"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  const Json json = Json::parse(ran.out);
  EXPECT_NEAR(json["rows"][0]["error"], 0, 1e-9);
  EXPECT_NEAR(json["rows"][1]["error"], -0.5, 1e-9);
  EXPECT_NEAR(json["kinds"][0]["mean_error"], 0.25, 1e-9);
  ASSERT_EQ(json["outliers"].size(), 1u);
  EXPECT_NEAR(json["outliers"][0]["error"], -0.5, 1e-9);
}

TEST_F(Kernels, PredictRefusesWhatItCannotCompare) {
  const std::string p = Write("p.json", ProfileText(Norm(1'000'000, 0.002)));
  const std::string same = Write("same.json", ProfileText(Norm(1'000'000, 0.002)));
  const auto with = [&](const std::string& file) {
    return std::vector<std::string>{"kernels", "predict", "--profile", p, "--measured", file};
  };
  ExpectRefused(with(same), {"same.json", "rms_norm", "held out"});
  std::string other = ProfileText("");
  other.replace(other.find("\"m\""), 3, "\"n\"");
  ExpectRefused(with(Write("other.json", other)), {"other.json", "device", "'n'", "'m'"});
  ExpectRefused(with("none.json"), {"none.json"});
  ExpectRefused({"kernels", "predict", "--measured", same}, {"--profile"});
  ExpectRefused({"kernels", "predict", "--profile", p, "--kernel", "router"},
                {"p.json", "device", "'m'"});
  std::string bare = ProfileText("");
  bare.replace(bare.find("copy rate"), 9, "copy rat_");
  ExpectRefused({"kernels", "predict", "--profile", Write("bare.json", bare), "--measured", same},
                {"bare.json", "machine.copy rate"});
  ExpectRefused(
      {"kernels", "predict", "--topology", "h100_dgx_pod", "--profile", p, "--measured", same},
      {"--topology", "132"});
  ExpectRefused({"kernels", "predict", "--interference"}, {"--interference"});
  std::vector<std::string> nothing = with(Write("more.json", ProfileText(Norm(2'000'000, 0.004))));
  nothing.insert(nothing.end(), {"--kernel", "no_such"});
  ExpectRefused(nothing, {"more.json", "no_such"});
  ExpectRefused(with(Write("empty.json", ProfileText(""))), {"empty.json", "no kernel"});
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
