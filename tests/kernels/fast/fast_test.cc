// The fast kernels against the truth, by the relative difference of all values together,
//   |fast - truth| / |truth|    (root of sums of squares)
// at sizes that fill vectors and blocks and at awkward ones. A float has 6e-8; sums of a hundred
// terms lose a few times that, more where they cancel.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "kernels/fast/attention.h"
#include "kernels/fast/gemm.h"
#include "kernels/fast/layers.h"
#include "kernels/train/attention.h"
#include "kernels/train/bf16.h"
#include "kernels/train/cross_entropy.h"
#include "kernels/train/swiglu.h"
#include "tests/kernels/gradients.h"

namespace pipescope::kernels {
namespace {

using Floats = std::vector<float>;

constexpr double kClose = 3e-6;

double Difference(std::span<const float> got, std::span<const float> truth) {
  EXPECT_EQ(got.size(), truth.size());
  double off = 0, size = 0;
  for (size_t i = 0; i < std::min(got.size(), truth.size()); ++i) {
    off += std::pow(double{got[i]} - truth[i], 2);
    size += std::pow(double{truth[i]}, 2);
  }
  return size == 0 ? off : std::sqrt(off / size);
}

// Sums in double.
Floats Product(const Floats& a, const Floats& b, int64_t rows, int64_t inner, int64_t columns,
               bool turn_a, bool turn_b) {
  Floats c;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < inner; ++k) {
        const int64_t in_a = turn_a ? k * rows + i : i * inner + k;
        const int64_t in_b = turn_b ? j * inner + k : k * columns + j;
        sum += double{a[static_cast<size_t>(in_a)]} * b[static_cast<size_t>(in_b)];
      }
      c.push_back(static_cast<float>(sum));
    }
  }
  return c;
}

TEST(Gemm, IsTheProductAtAnySize) {
  for (const int64_t tokens : {1, 3, 16, 61}) {
    for (const int64_t in : {1, 7, 64, 129}) {
      for (const int64_t out : {1, 5, 48, 130}) {
        SCOPED_TRACE(testing::Message() << tokens << " x " << in << " x " << out);
        const auto x = Normal(tokens * in, 1), w = Normal(out * in, 2),
                   dy = Normal(tokens * out, 3);
        EXPECT_LT(Difference(fast::Linear(x, w, in), Product(x, w, tokens, in, out, false, true)),
                  kClose);
        EXPECT_LT(Difference(fast::LinearInputGradient(dy, w, in),
                             Product(dy, w, tokens, out, in, false, false)),
                  kClose);
        EXPECT_LT(Difference(fast::LinearWeightGradient(x, dy, in, out),
                             Product(dy, x, out, tokens, in, true, false)),
                  kClose);
      }
    }
  }
}

TEST(Gemm, AddsAndScalesInsideALargerMatrix) {
  const Floats a = {1, 2, 99, 3, 4, 99}, b = {5, 6, 7, 8};
  Floats c = {1, 1, -1, 1, 1, -1};
  fast::Multiply({a.data(), 2, 2, 3}, fast::Turned::kNo, {b.data(), 2, 2, 2}, fast::Turned::kNo, 2,
                 true, c.data(), 3);
  EXPECT_EQ(c, (Floats{39, 45, -1, 87, 101, -1}));
}

TEST(Gemm, TheSameCallGivesTheSameBits) {
  const auto x = Normal(97 * 130, 1), w = Normal(70 * 130, 2);
  const Floats first = fast::Linear(x, w, 130);
  for (int n = 0; n < 20; ++n) {
    const Floats elsewhere(x);  // at another address
    EXPECT_EQ(fast::Linear(elsewhere, w, 130), first);
  }
}

TEST(RmsNorm, EqualsTheTruth) {
  // Not of one column: its gradient is a difference of equal numbers.
  for (const int64_t columns : {2, 15, 16, 17, 256}) {
    SCOPED_TRACE(columns);
    const auto x = Normal(9 * columns, 1, 3), w = Normal(columns, 2), dy = Normal(9 * columns, 3);
    EXPECT_LT(Difference(fast::RmsNorm(x, w), RmsNorm(x, w)), kClose);
    EXPECT_LT(Difference(fast::RmsNormInputGradient(x, w, dy), RmsNormInputGradient(x, w, dy)),
              kClose);
    EXPECT_LT(Difference(fast::RmsNormWeightGradient(x, dy, columns),
                         RmsNormWeightGradient(x, dy, columns)),
              kClose);
  }
}

TEST(SwiGlu, EqualsTheTruthAndStandsExtremes) {
  for (const int64_t columns : {1, 16, 37}) {
    const auto x = Normal(14 * columns, 1, 4), dy = Normal(7 * columns, 2);
    EXPECT_LT(Difference(fast::SwiGlu(x, columns), SwiGlu(x, columns)), kClose);
    EXPECT_LT(
        Difference(fast::SwiGluInputGradient(x, dy, columns), SwiGluInputGradient(x, dy, columns)),
        kClose);
  }
  const Floats huge = {-1000, 2, 1000, 2};
  EXPECT_EQ(fast::SwiGlu(huge, 1), SwiGlu(huge, 1));
}

TEST(Rope, EqualsTheTruth) {
  for (const RopeShape shape : {RopeShape{1, 2, 2}, {3, 10, 4}, {4, 48, 16}}) {
    const std::vector<int64_t> positions = {0, 1, 17, 4095, 1'000'000};
    const auto x = Normal(5 * shape.heads * shape.channels, 1);
    const auto f = RopeFrequencies(shape.rotary);
    EXPECT_LT(Difference(fast::Rope(x, positions, f, shape), Rope(x, positions, f, shape)), kClose);
    EXPECT_LT(Difference(fast::RopeInputGradient(x, positions, f, shape),
                         RopeInputGradient(x, positions, f, shape)),
              kClose);
  }
}

TEST(Attention, EqualsTheTruth) {
  for (const int64_t tokens : {1, 2, 16, 45}) {
    for (const AttentionShape shape :
         {AttentionShape{1, 1, 1, 1, 1}, {3, 3, 24, 16, 0.2}, {2, 2, 33, 65, 0.5}}) {
      SCOPED_TRACE(testing::Message() << tokens << " tokens, " << shape.qk_channels << " channels");
      const auto q = Normal(tokens * shape.heads * shape.qk_channels, 1);
      const auto k = Normal(tokens * shape.heads * shape.qk_channels, 2);
      const auto v = Normal(tokens * shape.heads * shape.v_channels, 3);
      const auto d_out = Normal(tokens * shape.heads * shape.v_channels, 4);
      const auto got = fast::Attention(q, k, v, shape), truth = Attention(q, k, v, shape);
      EXPECT_LT(Difference(got.out, truth.out), kClose);
      EXPECT_LT(Difference(got.log_sums, truth.log_sums), kClose);
      const auto d = fast::AttentionInputGradient(q, k, v, d_out, shape);
      const auto d_truth = AttentionInputGradient(q, k, v, d_out, shape);
      // One token's probability is 1: dq and dk are differences of equal numbers.
      if (tokens > 1) {
        EXPECT_LT(Difference(d.dq, d_truth.dq), 1e-5);
        EXPECT_LT(Difference(d.dk, d_truth.dk), 1e-5);
      }
      EXPECT_LT(Difference(d.dv, d_truth.dv), kClose);
    }
  }
}

TEST(CrossEntropy, EqualsTheTruthWithPaddingAndHugeLogits) {
  for (const int64_t vocabulary : {1, 2, 27, 1000}) {
    auto logits = Normal(6 * vocabulary, 1, 5);
    logits[0] = 3e4F;
    const std::vector<int32_t> targets = {0, static_cast<int32_t>(vocabulary - 1), kNoTarget, 0, 0,
                                          0};
    const auto weights = Normal(6, 2);
    EXPECT_LT(Difference(fast::CrossEntropy(logits, targets, vocabulary),
                         CrossEntropy(logits, targets, vocabulary)),
              kClose);
    EXPECT_LT(Difference(fast::CrossEntropyInputGradient(logits, targets, weights, vocabulary),
                         CrossEntropyInputGradient(logits, targets, weights, vocabulary)),
              2e-6);
  }
}

TEST(Permute, EqualsTheTruth) {
  std::mt19937 engine(1);
  for (const int64_t alignment : {1, 4}) {
    std::vector<int32_t> chosen(40 * 3);
    for (int32_t& expert : chosen) expert = static_cast<int32_t>(engine() % 7) - 1;
    const Permutation by = MakePermutation(chosen, 3, 6, alignment);
    constexpr int64_t kColumns = 19;
    const auto x = Normal(40 * kColumns, 1), rows = Normal(by.rows() * kColumns, 2);
    const auto weights = Normal(120, 3);
    EXPECT_EQ(fast::Permute(x, by, kColumns), Permute(x, by, kColumns));
    EXPECT_LT(Difference(fast::PermuteInputGradient(rows, by, kColumns),
                         PermuteInputGradient(rows, by, kColumns)),
              kClose);
    EXPECT_LT(Difference(fast::Unpermute(rows, weights, by, kColumns),
                         Unpermute(rows, weights, by, kColumns)),
              kClose);
    EXPECT_LT(Difference(fast::UnpermuteInputGradient(x, weights, by, kColumns),
                         UnpermuteInputGradient(x, weights, by, kColumns)),
              kClose);
    EXPECT_LT(Difference(fast::UnpermuteWeightGradient(x, rows, by, kColumns),
                         UnpermuteWeightGradient(x, rows, by, kColumns)),
              kClose);
  }
}

TEST(AdamW, FollowsTheTruthOverManySteps) {
  constexpr int64_t kWeights = 300;
  Floats fast_weights = Normal(kWeights, 1), weights = fast_weights;
  std::vector<uint16_t> m(kWeights), v(kWeights), fast_m(kWeights), fast_v(kWeights);
  const AdamW adamw{.rate = 1e-2};
  for (int64_t step = 1; step <= 50; ++step) {
    const auto gradient = Normal(kWeights, static_cast<uint32_t>(step));
    fast::AdamWStep(adamw, step, gradient, fast_weights, fast_m, fast_v);
    AdamWStep(adamw, step, gradient, weights, m, v);
  }
  // A moment stored on the other side of a tie moves a weight by 2^-8 of one update of 1e-2.
  EXPECT_LT(Difference(fast_weights, weights), 1e-4);
  int other = 0;
  for (size_t i = 0; i < m.size(); ++i) other += m[i] != fast_m[i] || v[i] != fast_v[i] ? 1 : 0;
  EXPECT_LT(other, kWeights / 20);
}

}  // namespace
}  // namespace pipescope::kernels
