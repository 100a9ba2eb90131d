// Sizes, layouts and truths of what runs on a GPU: what needs none.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/bench/check.h"
#include "kernels/cuda/divide.h"
#include "kernels/cuda/library_scales.h"
#include "kernels/cuda/linear.h"
#include "kernels/cuda/quantize.h"
#include "kernels/cuda/train_case.h"
#include "kernels/fp8/gemm.h"
#include "kernels/train/bf16.h"

namespace pipescope::kernels::bench {
namespace {

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

// The example of library_scales.h: rows unpadded, groups along k up to a multiple of four.
TEST(CudaCases, TheLibrarysScalesHaveItsLayout) {
  Draw draw(3);
  const auto values = DrawNormal(draw, 132 * 640);
  const Quantized tiles = Quantize(values, 132, 640, Grouping::kTiles);
  const auto of_tiles = cuda::LibraryScales(tiles);
  ASSERT_EQ(of_tiles.size(), 5u * 132);
  EXPECT_EQ(of_tiles[3 * 132 + 131], tiles.scale(131, 3 * 128));
  const Quantized blocks = Quantize(values, 132, 640, Grouping::kBlocks);
  const auto of_blocks = cuda::LibraryScales(blocks);
  ASSERT_EQ(of_blocks.size(), 2u * 8);
  EXPECT_EQ(of_blocks[8 + 4], blocks.scale(131, 4 * 128));
  EXPECT_EQ(of_blocks[5], 0);
  cuda::GemmCase c = {.m = 6, .n = 128, .k = 128, .backend = cuda::Backend::kCublasLt};
  EXPECT_EQ(CheckCase(c).error().message, "cuBLASLt: m: 6: expected a multiple of 4");
}

TEST(CudaCases, TrainingOperationsMoveWhatTheirHeaderSays) {
  EXPECT_EQ((cuda::TrainCase{"rms_norm", 4096, 7168}.bytes()), Bytes(117'440'512));
  EXPECT_EQ((cuda::TrainCase{"permute", 2, 8}.bytes()), Bytes(2 * (2 + 16) * 8));
  EXPECT_EQ((cuda::TrainCase{"adamw", 8, 8}.bytes()), Bytes(22 * 64));
  // Three tokens see 1, 2 and 3 keys; two at most with a window.
  const double pair = 2 * (192 + 128);
  EXPECT_EQ((cuda::TrainCase{"attention", 3, 5}.flops().value()), pair * 6 * 5);
  EXPECT_EQ((cuda::TrainCase{"attention", 3, 5, 2}.flops().value()), pair * 5 * 5);
  EXPECT_EQ((cuda::TrainCase{"attention_input_grad", 1, 1}.flops().value()),
            2 * (3 * 192 + 2 * 128));
  EXPECT_FALSE(CheckCase(cuda::TrainCase{"no_such", 8, 8}));
  EXPECT_FALSE(CheckCase(cuda::TrainCase{"rms_norm", 8, 12}));
  EXPECT_FALSE(CheckCase(cuda::TrainCase{"rope", 8, 64}));
  EXPECT_FALSE(CheckCase(cuda::TrainCase{"attention", 0, 8}));
}

TEST(CudaCases, ALinearLayersPassesMultiplyAlike) {
  for (const auto pass :
       {cuda::LinearPass::kForward, cuda::LinearPass::kInputGrad, cuda::LinearPass::kWeightGrad}) {
    const cuda::LinearCase c = {pass, 16, 24, 40};
    EXPECT_EQ(c.flops().value(), 2.0 * 16 * 24 * 40);
    EXPECT_EQ(c.first() * c.second() * c.result(), int64_t{16 * 24} * (40 * 24) * (16 * 40));
    EXPECT_TRUE(CheckCase(c));
  }
  EXPECT_EQ(CheckCase(cuda::LinearCase{cuda::LinearPass::kForward, 16, 12, 8}).error().message,
            "in: 12: expected a multiple of 8, up to 16777216");
}

}  // namespace
}  // namespace pipescope::kernels::bench
