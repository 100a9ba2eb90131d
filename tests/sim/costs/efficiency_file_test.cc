// Tables of measured efficiencies: formulas by hand, interpolation, and what is wrong with a file.
#include "sim/costs/efficiency_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace pipescope::costs {
namespace {

constexpr const char* kSmall = R"({
  "accelerator": {
    "op": {
      "matmul": {"tflops": 1000, "accurate_efficient_factor": {
        "b=1, m=4096, k=8192, n=8192, layout=TN, accumulate=False, out_dtype=bf16": 0.9,
        "b=1, m=4096, k=8192, n=65536, layout=TN, accumulate=False, out_dtype=bf16": 0.5,
        "b=1, m=8192, k=4096, n=1024, layout=NT, accumulate=True, out_dtype=fp32": 0.25}},
      "group_matmul": {"tflops": 1000, "accurate_efficient_factor": {
        "ng=4, M=512, N=4096, K=7168, dtype=bf16, main_grad_dtype=fp32, stage=fwd": 0.3,
        "ng=4, M=512, N=4096, K=7168, dtype=bf16, main_grad_dtype=fp32, stage=bwd_grad_w": 0.1}},
      "sdp_fwd": {"tflops": 1000, "accurate_efficient_factor": {
        "batch=1, seq_len=4096, head_num=8, kv_head_num=1, qk_head_dim=128, v_head_dim=128, qkv_contiguous=True": 0.8,
        "batch=1, seq_len=4096, head_num=8, kv_head_num=1, qk_head_dim=128, v_head_dim=128, qkv_contiguous=False": 0.76}}
    },
    "bandwidth": {"default": {"efficient_factor": 0.5, "gbps": 8000, "latency_us": 30}}
  },
  "networks": {"high_intra_node": {
    "bandwidth": {"efficient_factor": 1, "gbps": 900, "latency_us": 35},
    "op": {"all_gather": {"scale": 1, "offset": -1, "efficient_factor": 0.5, "latency_us": 10,
                          "fixed_latency_us": 20, "fixed_latency_us_by_comm_num": {"4": 7}}}}}
})";

std::string Written(const std::string& text) {
  const std::string path = testing::TempDir() + "/efficiencies.json";
  std::ofstream(path) << text;
  return path;
}

EfficiencyFile Small() {
  auto file = EfficiencyFile::Load(Written(kSmall), 100);
  if (!file) ADD_FAILURE() << file.error().ToString();
  return *file;
}

model::Kernel Gemm(model::Pass pass, int64_t m, int64_t n, int64_t k, int64_t groups = 1) {
  model::Kernel kernel;
  kernel.kind = model::KernelKind::kGemm;
  kernel.pass = pass;
  kernel.groups = groups;
  kernel.m = m;
  kernel.n = n;
  kernel.k = k;
  kernel.flops = Flops(2.0 * static_cast<double>(groups * m * n) * static_cast<double>(k));
  return kernel;
}

double Seconds(const EfficiencyFile& file, const model::Kernel& kernel, int sms = 100) {
  const auto estimate = file.Kernel(kernel, sms);
  return estimate ? estimate->time.seconds() : -1;
}

TEST(EfficiencyFile, ShapesByHand) {
  const EfficiencyFile file = Small();
  using enum model::Pass;
  const auto long_one = Gemm(kForward, 4096, 65536, 8192);
  EXPECT_NEAR(Seconds(file, long_one), 2.0 * 4096 * 65536 * 8192 / 500e12, 1e-12);
  EXPECT_NEAR(Seconds(file, long_one, 50), 2 * Seconds(file, long_one), 2e-12);
  // A weight gradient of 4096 tokens, 1024 in and 8192 out: the table has out first.
  EXPECT_NEAR(Seconds(file, Gemm(kWeightGrad, 1024, 8192, 4096)), 2.0 * 1024 * 8192 * 4096 / 250e12,
              1e-12);
  // Groups are found under the forward pass's shape.
  EXPECT_NEAR(Seconds(file, Gemm(kForward, 512, 4096, 7168, 4)), 8.0 * 512 * 4096 * 7168 / 300e12,
              1e-12);
  EXPECT_NEAR(Seconds(file, Gemm(kWeightGrad, 7168, 4096, 512, 4)),
              8.0 * 512 * 4096 * 7168 / 100e12, 1e-12);
}

// The short GEMM was seen at 900 TFLOPS, but the one that takes long enough at 500.
TEST(EfficiencyFile, NothingIsFasterThanSustained) {
  const EfficiencyFile file = Small();
  EXPECT_DOUBLE_EQ(file.sustained().value(), 500e12);
  const auto estimate = file.Kernel(Gemm(model::Pass::kForward, 4096, 8192, 8192), 100);
  ASSERT_TRUE(estimate.has_value());
  EXPECT_NEAR(estimate->time.seconds(), 2.0 * 4096 * 8192 * 8192 / 500e12, 1e-12);
  EXPECT_EQ(estimate->origin, Origin::kMeasured);
}

TEST(EfficiencyFile, NeighboursAreInterpolatedAndStrangersRefused) {
  const EfficiencyFile file = Small();
  const auto near = file.Kernel(Gemm(model::Pass::kWeightGrad, 1024, 4096, 4096), 100);
  ASSERT_TRUE(near.has_value());
  EXPECT_EQ(near->origin, Origin::kInterpolated);
  EXPECT_NEAR(near->time.seconds(), 2.0 * 1024 * 4096 * 4096 / 250e12, 1e-12);
  EXPECT_GE(near->spread, file.measured_spread());
  EXPECT_FALSE(file.Kernel(Gemm(model::Pass::kWeightGrad, 64, 64, 64), 100).has_value());
  EXPECT_FALSE(file.Kernel(Gemm(model::Pass::kInputGrad, 4096, 8192, 8192), 100).has_value());
}

TEST(EfficiencyFile, AttentionCountsTheWholeSquare) {
  model::Kernel kernel;
  kernel.kind = model::KernelKind::kAttention;
  kernel.attention = {1, 4096, 8, 1, 128, 128};
  const double square = 4.0 * 8 * 128 * 4096 * 4096;
  EXPECT_NEAR(Seconds(Small(), kernel), square / 800e12, 1e-12);
  EXPECT_NEAR(Small().measured_spread(), 0.05, 1e-12);
  kernel.attention.sequence = 2048;
  EXPECT_FALSE(Small().Kernel(kernel, 100).has_value());
}

TEST(EfficiencyFile, MemoryAndCollectivesByTheirFormulas) {
  model::Kernel norm;
  norm.name = "input_norm";
  norm.bytes = Bytes(int64_t{4} << 30);
  EXPECT_NEAR(Seconds(Small(), norm), 4.0 / 4000 + 30e-6, 1e-12);
  const Bytes whole(int64_t{1} << 30);
  const auto gather = [&](int gpus, int per_node) {
    return Small().Message({CollectiveKind::kAllGather, whole, gpus, per_node});
  };
  EXPECT_NEAR(gather(8, 8)->time.seconds(), 7.0 / 8 / 450 + 70e-6 + 20e-6, 1e-11);
  EXPECT_NEAR(gather(4, 4)->time.seconds(), 3.0 / 4 / 450 + 30e-6 + 7e-6, 1e-11);
  EXPECT_FALSE(gather(8, 4).has_value());  // leaves the node
  EXPECT_FALSE(Small().Message({CollectiveKind::kAllReduce, whole, 8, 8}).has_value());
}

std::string Refusal(const std::string& from, const std::string& to) {
  std::string text = kSmall;
  text.replace(text.find(from), from.size(), to);
  const auto file = EfficiencyFile::Load(Written(text), 100);
  return file ? "" : file.error().ToString();
}

TEST(EfficiencyFile, BadFilesAreErrorsWithAPlace) {
  using testing::HasSubstr;
  EXPECT_THAT(Refusal("m=4096, k=8192, n=8192", "m=4096, k=8192"), HasSubstr("expected a shape"));
  EXPECT_THAT(Refusal("m=4096, k=8192, n=8192", "m=4096, k=-2, n=8192"), HasSubstr("a shape like"));
  EXPECT_THAT(Refusal("0.9", "\"fast\""), HasSubstr("efficiencies.json:5"));
  EXPECT_THAT(Refusal("0.9", "90"), HasSubstr("90"));
  EXPECT_THAT(Refusal("\"default\"", "\"other\""), HasSubstr("default"));
  EXPECT_THAT(Refusal("\"bandwidth\"", "\"rates\""), HasSubstr("bandwidth"));
  EXPECT_THAT(Refusal("\"tflops\": 1000, ", ""), HasSubstr("expected the peak"));
  EXPECT_THAT(Refusal("\"tflops\": 1000", "\"tflops\": 999"), HasSubstr("the same peak"));
  EXPECT_THAT(Refusal("\"4\": 7", "\"four\": 7"), HasSubstr("number of GPUs"));
  EXPECT_FALSE(EfficiencyFile::Load("/no/such/file.json", 100).has_value());
}

}  // namespace
}  // namespace pipescope::costs
