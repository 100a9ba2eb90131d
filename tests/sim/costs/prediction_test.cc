// Operations that are not in a profile: laws that it was made from are found again, by the way that
// a step's costs take.
#include "sim/costs/prediction.h"

#include <gtest/gtest.h>

#include "sim/costs/kernel_cost.h"
#include "sim/costs/prices.h"
#include "sim/costs/written_kernel.h"

namespace pipescope::costs {
namespace {

using measured::Format;
using measured::Kind;
using measured::Operation;
using measured::Pass;

// 8 bytes a second and so on would do: only ratios count.
measured::Profile Machine(int sms) {
  measured::Profile profile = {"some", sms, {}, {}};
  profile.machine = {{"copy rate", "2 TB/s"}, {"matrix rate", "1000 TFLOPS"}};
  return profile;
}

Operation Timed(Operation op, double seconds) {
  op.times = {5, Seconds(seconds), Seconds(seconds), Seconds(seconds), Duration()};
  return op;
}

Operation Stream(const std::string& name, int64_t bytes, int sms) {
  return {Kind::kMemory, Pass::kNone, Format::kBf16, {{"bytes", bytes}}, sms, {}, name, ""};
}

Operation Dispatch(int64_t tokens, int64_t hidden, int sms) {
  const measured::Shape shape = {
      {"tokens", tokens},     {"sequence", tokens},     {"hidden", hidden},  {"heads", 1},
      {"experts", 32},        {"experts_per_token", 4}, {"expert_width", 1}, {"shared_width", 0},
      {"expert_parallel", 4}, {"recompute", 0}};
  return {Kind::kDispatch, Pass::kForward, Format::kFp8, shape, sms, {}, "dispatch", ""};
}

double Predicted(const measured::Profile& profile, const Operation& op) {
  const auto source = ProfileSource::Of(profile, *GpuOf(profile), {});
  const Prediction prediction = Predict(source, op);
  if (!prediction.predicted) return 0;
  EXPECT_EQ(prediction.predicted->origin, Origin::kInterpolated);
  return prediction.predicted->time.seconds();
}

// Two kernels of as many bytes, each with a start and a rate of its own.
TEST(Prediction, BytesHaveAStartAndARateByName) {
  measured::Profile profile = Machine(100);
  const auto norm = [](double bytes) { return 5e-6 + bytes / 1e12; };
  const auto rope = [](double bytes) { return 8e-6 + bytes / 0.2e12; };
  for (const int64_t bytes : {16'000'000, 64'000'000, 20'000'000}) {
    const double size = static_cast<double>(bytes);
    profile.operations.push_back(Timed(Stream("rms_norm", bytes, 100), norm(size)));
    profile.operations.push_back(Timed(Stream("rope", bytes, 100), rope(size)));
  }
  for (const int64_t bytes : {9'000'000, 17'000'001, 33'000'000, 95'000'000}) {
    const double size = static_cast<double>(bytes);
    EXPECT_NEAR(Predicted(profile, Stream("rms_norm", bytes, 100)), norm(size), 1e-10);
    EXPECT_NEAR(Predicted(profile, Stream("rope", bytes, 100)), rope(size), 1e-10);
  }
  EXPECT_EQ(Predicted(profile, Stream("rope", int64_t{1} << 40, 100)), 0);  // too far off
}

// What a step's norm costs is the calibrated norm, whatever else moves as many bytes.
TEST(Prediction, AStepTakesTheSameWay) {
  measured::Profile profile = Machine(100);
  profile.operations = {Timed(Stream("rms_norm", 1'000'000, 100), 8e-6),
                        Timed(Stream("rms_norm", 4'000'000, 100), 20e-6),
                        Timed(Stream("residual", 2'000'000, 100), 1e-6)};
  topology::Cluster cluster;
  cluster.gpu = *GpuOf(profile);
  cluster.node.gpus = 8;
  const Efficiencies efficiencies;
  const Prices prices(
      cluster, efficiencies,
      {std::make_shared<const ProfileSource>(ProfileSource::Of(profile, cluster.gpu, {}))});
  model::Kernel kernel;
  kernel.name = "input_norm";
  kernel.traffic = model::Traffic::kNorm;
  kernel.bytes = Bytes(2'000'000);
  EXPECT_NEAR(prices.Phase({kernel}, 100).demand.time.seconds(), 12e-6, 1e-10);
  EXPECT_NEAR(Predicted(profile, Stream("rms_norm", 2'000'000, 100)), 12e-6, 1e-10);
  kernel.name = "residual_add";
  kernel.traffic = model::Traffic::kStream;
  EXPECT_NEAR(prices.Phase({kernel}, 100).demand.time.seconds(), 1e-6, 1e-10);
}

// GEMMs that are all as far from the model are found exactly, tiles and waves included; dense and
// grouped ones each by their own.
TEST(Prediction, GemmsKeepTheModelsTilesAndWaves) {
  measured::Profile profile = Machine(132);
  const topology::Gpu gpu = *GpuOf(profile);
  const auto gemm = [&](int64_t groups, int64_t m, int64_t n, int64_t k) {
    const char* name = groups > 1 ? "fp8_gemm_grouped" : "fp8_gemm_forward";
    return Operation{Kind::kGemm,  Pass::kForward,
                     Format::kFp8, {{"groups", groups}, {"m", m}, {"n", n}, {"k", k}},
                     132,          {},
                     name,         ""};
  };
  const auto law = [&](const Operation& op) {
    const double off = op.shape.at("groups") > 1 ? 1.4 : 1.1;
    return off * KernelTime(KernelOf(op), 132, gpu, {}).seconds();
  };
  for (const auto& op : {gemm(1, 4096, 7168, 2048), gemm(1, 1024, 7168, 2048),
                         gemm(2, 4096, 7168, 2048), gemm(2, 1024, 7168, 2048)}) {
    profile.operations.push_back(Timed(op, law(op)));
  }
  for (const auto& op : {gemm(1, 2312, 7168, 2048), gemm(1, 4096, 5000, 1040),
                         gemm(2, 3000, 8000, 2048), gemm(1, 5200, 7168, 2048)}) {
    EXPECT_NEAR(Predicted(profile, op), law(op), 1e-11);
    EXPECT_EQ(MeasuredName(KernelOf(op)), op.name);
  }
}

// Tokens and width by their product and a start; other numbers of SMs lie between their neighbours.
TEST(Prediction, ExchangesOfTheSameGroup) {
  measured::Profile profile = Machine(100);
  const auto law = [](double rows, double width) { return 20e-6 + rows * width / 1e11; };
  for (const auto& [tokens, hidden] : {std::pair{512, 7168}, {128, 7168}, {512, 2304}}) {
    profile.operations.push_back(Timed(Dispatch(tokens, hidden, 80), law(tokens, hidden)));
  }
  EXPECT_NEAR(Predicted(profile, Dispatch(300, 4096, 80)), law(300, 4096), 1e-10);
  EXPECT_NEAR(Predicted(profile, Dispatch(800, 7168, 80)), law(800, 7168), 1e-10);
  Operation other = Dispatch(300, 4096, 80);
  other.shape["expert_parallel"] = 8;
  EXPECT_EQ(Predicted(profile, other), 0);
  profile.operations.push_back(Timed(Dispatch(512, 7168, 20), 3 * law(512, 7168)));
  const double between = Predicted(profile, Dispatch(512, 7168, 40));
  EXPECT_GT(between, law(512, 7168));
  EXPECT_LT(between, 3 * law(512, 7168));
}

// A step whose dispatch was measured with other tokens: the analytic model no longer answers.
TEST(Prediction, APartOfOtherTokensIsGuessed) {
  measured::Profile profile = Machine(100);
  profile.operations = {Timed(Dispatch(512, 7168, 20), 100e-6)};
  const auto source = ProfileSource::Of(profile, *GpuOf(profile), {});
  const auto part = [&](const Operation& op, int sms) {
    return source.Part({op.kind, op.pass, {op.shape, op.format}}, sms);
  };
  EXPECT_EQ(part(Dispatch(512, 7168, 20), 20)->estimate.origin, Origin::kMeasured);
  const auto twice = part(Dispatch(1024, 7168, 20), 20);
  ASSERT_TRUE(twice);
  EXPECT_NEAR(twice->estimate.time.seconds(), 200e-6, 1e-10);
  EXPECT_EQ(twice->estimate.origin, Origin::kInterpolated);
  EXPECT_EQ(twice->estimate.spread, 0.15);
  const auto fewer = part(Dispatch(512, 7168, 20), 12);  // nothing says that SMs matter
  ASSERT_TRUE(fewer);
  EXPECT_EQ(fewer->sms, 20);
  EXPECT_NEAR(fewer->estimate.time.seconds(), 100e-6, 1e-10);
}

TEST(Prediction, CommunicationBesideAKernelByItsSms) {
  measured::Profile profile = Machine(132);
  const auto copy = [](int sms, const std::string& beside) {
    return Operation{Kind::kOther,
                     Pass::kNone,
                     Format::kUnknown,
                     {{"blocks", sms}},
                     sms,
                     {},
                     "communication of 1 GB" + beside,
                     ""};
  };
  for (const int sms : {4, 8, 16, 32}) {
    profile.operations.push_back(Timed(copy(sms, ""), 0.02 / sms));
    profile.operations.push_back(Timed(copy(sms, " beside gemm (m 4096)"), 0.03 / sms));
  }
  EXPECT_NEAR(Predicted(profile, copy(10, "")), 0.002, 1e-9);
  EXPECT_NEAR(Predicted(profile, copy(10, " beside gemm (m 1000)")), 0.003, 1e-9);
  EXPECT_EQ(Predicted(profile, copy(10, " beside rope (rows 8)")), 0);
  const Operation of_its_own = {
      Kind::kOther, Pass::kNone, Format::kUnknown, {{"blocks", 4}}, 4, {}, "attention_window", ""};
  profile.operations.push_back(Timed(of_its_own, 1));
  EXPECT_EQ(Predicted(profile, of_its_own), 0);
}

// A CPU has no SMs: roofline alone, in FP32, of which no step's kernel is.
TEST(Prediction, AProcessorWithoutSms) {
  measured::Profile profile = Machine(0);
  profile.machine["matrix rate"] = "1 TFLOPS";
  const auto gemm = [](int64_t m, int64_t k) {
    return Operation{Kind::kGemm,
                     Pass::kForward,
                     Format::kFp32,
                     {{"groups", 1}, {"m", m}, {"n", 512}, {"k", k}},
                     0,
                     {},
                     "linear_fast",
                     ""};
  };
  const auto law = [](double m, double k) { return 1.3 * 2 * m * 512 * k / 1e12; };
  profile.operations = {Timed(gemm(256, 4096), law(256, 4096)),
                        Timed(gemm(64, 4096), law(64, 4096))};
  EXPECT_NEAR(Predicted(profile, gemm(131, 4096)), law(131, 4096), 1e-10);
}

TEST(Prediction, ADeviceWithoutRatesIsRefused) {
  measured::Profile profile = Machine(0);
  profile.machine["copy rate"] = "0 GB/s";
  EXPECT_EQ(GpuOf(profile).error().field, "machine.copy rate");
  profile.machine["copy rate"] = "1 GB/s";
  profile.machine["matrix rate"] = "many";
  EXPECT_NE(GpuOf(profile).error().ToString().find("'many'"), std::string::npos);
  profile.machine.erase("matrix rate");
  EXPECT_NE(GpuOf(profile).error().ToString().find("calibrate"), std::string::npos);
}

TEST(Prediction, WhatIsInTheProfileWasNotHeldOut) {
  measured::Profile profile = Machine(0);
  profile.operations = {Timed(Stream("rope", 100, 0), 1)};
  EXPECT_FALSE(CheckHeldOut(profile, Stream("rope", 100, 0)));
  EXPECT_TRUE(CheckHeldOut(profile, Stream("rope", 101, 0)));
  EXPECT_TRUE(CheckHeldOut(profile, Stream("swiglu", 100, 0)));
}

TEST(Prediction, ErrorAndNoise) {
  Prediction p = {Stream("rope", 100, 0), Estimate{Microseconds(11), 0, Origin::kInterpolated}};
  p.operation.times = {4, Microseconds(10), Microseconds(9), Microseconds(12), Microseconds(1)};
  EXPECT_NEAR(p.error(), 0.1, 1e-9);
  EXPECT_DOUBLE_EQ(p.noise(), 0.1);
}

}  // namespace
}  // namespace pipescope::costs
