// The registry, its measure of right and wrong, and what becomes of times.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "kernels/bench/adjoint.h"
#include "kernels/bench/check.h"
#include "kernels/bench/cpu_timer.h"
#include "kernels/bench/program.h"
#include "kernels/cuda/divide.h"
#include "kernels/cuda/gemm.h"
#include "kernels/cuda/quantize.h"
#include "kernels/fp8/gemm.h"
#include "kernels/train/bf16.h"

namespace pipescope::kernels::bench {
namespace {

using Numbers = std::vector<double>;

const Progress kSilent = [](const std::string&) {};

TEST(Checks, FindWhatIsOff) {
  const Numbers truth = {1, -2, 3};
  Checked checked = {.limit = 1e-6};
  Note(checked, "equal", truth, truth);
  EXPECT_TRUE(checked.well());
  EXPECT_EQ(checked.difference, 0);
  for (const Numbers& wrong : {Numbers{1, -2, 3.1}, Numbers{1, 2, 3}, Numbers{0, 0, 0},
                               Numbers{1, -2, std::numeric_limits<double>::quiet_NaN()},
                               Numbers{1, -2, std::numeric_limits<double>::infinity()}}) {
    Checked off = {.limit = 1e-6};
    Note(off, "off", wrong, truth);
    EXPECT_FALSE(off.well());
  }
  Checked sizes = {.limit = 1};
  Note(sizes, "sizes", Numbers{1, 2}, truth);
  EXPECT_EQ(sizes.failure, "sizes: 2 values, expected 3");
}

TEST(Checks, BitsAreCompared) {
  const std::vector<float> zero = {0.0F}, minus = {-0.0F};
  Checked checked;
  NoteEqual(checked, "zeros", std::span<const float>(zero), std::span<const float>(minus));
  EXPECT_EQ(checked.failure, "zeros: value 0 of 1 is 0, expected -0");
}

TEST(Checks, AWrongGradientIsFound) {
  Draw draw(5);
  const auto x = DrawNormal(draw, 20);
  const Function square = [](std::span<const float> at) {
    std::vector<float> y;
    for (const float v : at) y.push_back(v * v);
    return y;
  };
  const auto gradient = [](float factor) -> Gradient {
    return [factor](std::span<const float> at, std::span<const float> d) {
      std::vector<float> dx;
      for (size_t i = 0; i < at.size(); ++i) dx.push_back(factor * at[i] * d[i]);
      return dx;
    };
  };
  Checked right = {.limit = 1e-6}, wrong = {.limit = 1e-6};
  NoteGradient(right, "square", draw, x, square, gradient(2));
  NoteGradient(wrong, "square", draw, x, square, gradient(2.01F));
  EXPECT_TRUE(right.well()) << right.failure;
  EXPECT_FALSE(wrong.well());
}

TEST(Registry, EveryKernelIsComplete) {
  std::set<std::pair<std::string, Device>> names;
  for (const Op& op : AllOps()) {
    EXPECT_TRUE(op.check) << op.name;
    EXPECT_FALSE(op.truth.empty()) << op.name;
    EXPECT_TRUE(names.emplace(op.name, op.device).second) << op.name;
    // cuBLASLt is timed as the baseline of ours; the training operations on a GPU are not timed
    // yet.
    const bool untimed = op.backend == "cuBLASLt" || op.name == "training";
    EXPECT_EQ(op.shapes.empty(), untimed) << op.name;
    EXPECT_TRUE(op.bench || untimed) << op.name;
  }
  EXPECT_EQ(nlohmann::json::parse(ListJson()).size(), names.size());
}

TEST(Registry, CpuKernelsAreRightWithOtherSeeds) {
  for (const uint64_t seed : {2, 3, 77}) {
    const auto report = RunChecks({.kernel = "", .seed = seed}, kSilent);
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->well) << report->text;
    EXPECT_FALSE(nlohmann::json::parse(report->json)["results"].empty());
  }
}

TEST(Registry, AnUnknownKernelIsSaid) {
  const auto report = RunChecks({.kernel = "fp8_gem_"}, kSilent);
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message.find("'fp8_gem_'"), std::string::npos);
  EXPECT_NE(report.error().message.find("fp8_gemm"), std::string::npos);
}

Timed TimedOf(std::vector<int64_t> us, std::vector<int64_t> baseline) {
  Timed timed = {{}, {}, Flops(2e9), Bytes(1'000'000), 132, ""};
  for (const int64_t t : us) timed.each.push_back(Duration(t * 1'000'000));
  for (const int64_t t : baseline) timed.baseline_each.push_back(Duration(t * 1'000'000));
  return timed;
}

BenchReport Report() {
  BenchReport report;
  report.machine = {Device::kCuda, "a \"GPU\"", 132, {{"driver", "13"}}, {}};
  report.peaks = {GigabytesPerSecond(100), Teraflops(40), "said"};
  Op gemm = {.name = "gemm",
             .backend = "ours",
             .baseline = "library",
             .baseline_serves = true,
             .kind = measured::Kind::kGemm,
             .pass = measured::Pass::kForward,
             .format = measured::Format::kFp8};
  const Shape shape = {{"groups", 1}, {"m", 10}, {"n", 20}, {"k", 30}};
  report.rows.push_back({gemm, shape, TimedOf({100, 90, 400}, {80, 80, 80})});
  Op copy = {.name = "copy", .backend = "ours", .kind = measured::Kind::kMemory};
  report.rows.push_back({copy, {{"rows", 1}}, TimedOf({20, 40}, {})});
  report.rows.push_back({copy, {{"rows", 2}}, TimedOf({60}, {})});
  return report;
}

TEST(Report, HasTheContractsKeys) {
  const auto json = nlohmann::json::parse(BenchJson(Report()));
  EXPECT_EQ(json["device"], "cuda");
  EXPECT_EQ(json["machine"]["name"], "a \"GPU\"");
  const auto& gemm = json["results"][0];
  EXPECT_EQ(gemm["kernel"], "gemm");
  EXPECT_EQ(gemm["shape"], (nlohmann::json{{"groups", 1}, {"m", 10}, {"n", 20}, {"k", 30}}));
  EXPECT_EQ(gemm["sms"], 132);
  EXPECT_DOUBLE_EQ(gemm["time_s"], 100e-6);
  EXPECT_DOUBLE_EQ(gemm["tflops"], 20);
  EXPECT_DOUBLE_EQ(gemm["gigabytes_per_second"], 10);
  EXPECT_DOUBLE_EQ(gemm["of_peak"], 0.5);  // of the matrix; of the copy it is 0.1
  EXPECT_EQ(gemm["bound"], "matrix");
  EXPECT_EQ(gemm["baseline"], "library");
  EXPECT_DOUBLE_EQ(gemm["baseline_time_s"], 80e-6);
  EXPECT_EQ(gemm["chosen"], "library");
  EXPECT_DOUBLE_EQ(json["results"][1]["time_s"], 30e-6);
}

TEST(Report, AProfileTakesTheFasterBackendAndMergesEqualKeys) {
  const auto profile = ProfileOf(Report(), "a test");
  ASSERT_EQ(profile.operations.size(), 2u);
  EXPECT_EQ(profile.operations[0].times.mean, Microseconds(80));
  EXPECT_EQ(profile.operations[0].shape.at("k"), 30);
  EXPECT_EQ(profile.operations[1].times.count, 3);
  EXPECT_EQ(profile.operations[1].times.mean, Microseconds(40));
  EXPECT_EQ(profile.operations[1].shape.at("bytes"), 1'000'000);
}

TEST(Timing, MedianIsTheMiddle) {
  EXPECT_EQ(Median({Duration(5), Duration(1), Duration(3)}), Duration(3));
  EXPECT_EQ(Median({Duration(4), Duration(2)}), Duration(3));
}

TEST(CudaCases, SizesThatCannotBeAreSaid) {
  EXPECT_TRUE(CheckCase(cuda::QuantizeCase{.rows = 1, .columns = 16}));
  EXPECT_FALSE(CheckCase(cuda::QuantizeCase{.rows = 1, .columns = 24}));
  EXPECT_FALSE(CheckCase(cuda::QuantizeCase{.rows = 8, .columns = 16, .transposed = true}));
  cuda::GemmCase c = {
      .groups = cuda::Groups::kRows, .m = 256, .n = 128, .k = 128, .offsets = {0, 128, 256}};
  EXPECT_TRUE(CheckCase(c));
  c.offsets[1] = 64;
  EXPECT_EQ(CheckCase(c).error().message, "offsets: 64: expected a multiple of 128");
  c.offsets = {0, 128};
  EXPECT_FALSE(CheckCase(c));
}

TEST(CudaCases, ScalesTurnAndComeBack) {
  Draw draw(1);
  const Quantized q = Quantize(DrawNormal(draw, 200 * 300), 200, 300, Grouping::kTiles);
  const auto turned = cuda::RowsFastest(q);
  EXPECT_EQ(turned.size(), 3u * 256);
  EXPECT_EQ(turned[256 + 7], q.scale(7, 128));
  EXPECT_EQ(cuda::GroupsFastest(turned, 200, 3), q.scales);
}

// Quantisers divide with a reciprocal: all bits of the quotient must be right, the sign of zero
// too, for scales and values as they come out of groups.
TEST(CudaCases, DivisionByAReciprocalIsExact) {
  Draw draw(11);
  int off = 0;
  const auto compare = [&](float x, float scale) {
    const float is = cuda::Divide(x, scale, 1 / scale), should = x / scale;
    if (std::memcmp(&is, &should, sizeof(is)) != 0) ++off;
  };
  for (int i = 0; i < 2'000'000; ++i) {
    const float size =
        std::ldexp(1 + std::fabs(draw.Uniform()), static_cast<int>(draw.Below(60)) - 13);
    const float scale = size / 448;
    const float x = DecodeBf16(EncodeBf16(draw.Uniform() * size));
    compare(std::clamp(x, -size, size), scale);
  }
  for (const float zero : {0.0F, -0.0F}) compare(zero, 0.37F);
  EXPECT_EQ(off, 0);
}

// A grouped GEMM's truth is the dense one of each group's part.
TEST(CudaCases, GroupsAreDenseParts) {
  Draw draw(2);
  const auto x = DrawNormal(draw, 256 * 256), y = DrawNormal(draw, 256 * 256);
  const Quantized a = Quantize(x, 256, 256, Grouping::kTiles);
  const cuda::GemmInputs in = {a, Quantize(y, 256, 256, Grouping::kBlocks)};
  const cuda::GemmCase rows = {
      .groups = cuda::Groups::kRows, .m = 256, .n = 128, .k = 256, .offsets = {0, 128, 256}};
  const auto whole = BlockScaledGemm(in.a, in.b, Accumulation::kWide);
  const auto grouped = GemmTruth(rows, in);
  ASSERT_EQ(grouped.size(), 256u * 128);
  EXPECT_EQ(grouped[5 * 128 + 9], whole[5 * 256 + 9]);
  EXPECT_EQ(grouped[200 * 128 + 9], whole[200 * 256 + 128 + 9]);
  const cuda::GemmInputs tiles = {a, Quantize(y, 256, 256, Grouping::kTiles)};
  const cuda::GemmCase depth = {.groups = cuda::Groups::kDepth,
                                .m = 256,
                                .n = 256,
                                .k = 256,
                                .b_grouping = Grouping::kTiles,
                                .offsets = {0, 128, 128, 256}};
  const auto parts = GemmTruth(depth, tiles);
  const auto sum = BlockScaledGemm(tiles.a, tiles.b, Accumulation::kWide);
  ASSERT_EQ(parts.size(), 3u * 256 * 256);
  EXPECT_EQ(parts[256 * 256 + 7], 0);  // the empty group
  EXPECT_NEAR(parts[7] + parts[2 * 256 * 256 + 7], sum[7], 1e-9 * std::abs(sum[7]) + 1e-9);
}

}  // namespace
}  // namespace pipescope::kernels::bench
