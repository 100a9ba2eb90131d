// What a model begins and ends with: embedding, loss, and the optimizer with its BF16 moments.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/train/adamw.h"
#include "kernels/train/bf16.h"
#include "kernels/train/cross_entropy.h"
#include "kernels/train/embedding.h"
#include "tests/kernels/gradients.h"

namespace pipescope::kernels {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::FloatNear;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(CrossEntropy, ByHand) {
  const std::vector<float> logits = {0, std::log(3.F)}, one = {1};
  const std::vector<int32_t> target = {0};
  EXPECT_THAT(CrossEntropy(logits, target, 2), ElementsAre(FloatNear(1.386294F, 1e-6F)));
  EXPECT_THAT(CrossEntropyInputGradient(logits, target, one, 2),
              ElementsAre(FloatNear(-.75F, 1e-6F), FloatNear(.75F, 1e-6F)));
  // A model that knows nothing of 129280 tokens.
  EXPECT_THAT(CrossEntropy(std::vector<float>(129280, 7), target, 129280),
              ElementsAre(FloatNear(std::log(129280.F), 1e-5F)));
}

TEST(CrossEntropy, GradientsAreTheDifferences) {
  constexpr int64_t kVocabulary = 11;
  const auto logits = Normal(4 * kVocabulary, 1, 2), d_losses = Normal(4, 2);
  const std::vector<int32_t> targets = {10, kNoTarget, 0, 5};
  const auto gradient = CrossEntropyInputGradient(logits, targets, d_losses, kVocabulary);
  ExpectGradient([&](auto at) { return Dot(CrossEntropy(at, targets, kVocabulary), d_losses); },
                 logits, gradient);
  EXPECT_THAT(std::vector(gradient.begin() + kVocabulary, gradient.begin() + 2 * kVocabulary),
              Each(0));
}

TEST(CrossEntropy, HugeLogits) {
  const std::vector<float> logits = {1e38F, -1e38F, 0, 88, 90, -kInfinity, kNan, 0, 0};
  const std::vector<int32_t> targets = {1, 1, kNoTarget};
  EXPECT_THAT(CrossEntropy(logits, targets, 3),
              ElementsAre(2e38F, FloatNear(std::log1p(std::exp(-2.F)), 1e-6F), 0));
  // Row 1's logits are 88, 90, -infinity.
  const float p = 1 / (1 + std::exp(2.F));
  const std::vector<float> row = {88, 90, -kInfinity};
  EXPECT_THAT(CrossEntropyInputGradient(row, std::vector<int32_t>{1}, std::vector<float>{1}, 3),
              ElementsAre(FloatNear(p, 1e-6F), FloatNear(-p, 1e-6F), 0));
  // Two share a probability that neither float nor double can tell from its logit.
  const std::vector<float> share = {1e38F, 1e38F}, one = {1};
  EXPECT_THAT(CrossEntropyInputGradient(share, std::vector<int32_t>{1}, one, 2),
              ElementsAre(.5F, -.5F));
  EXPECT_DEATH(CrossEntropy(row, std::vector<int32_t>{3}, 3), "broken invariant");
}

TEST(Embedding, ByHand) {
  const std::vector<int32_t> tokens = {2, 0, 2};
  EXPECT_THAT(Embedding(std::vector<float>{1, 2, 3, 4, 5, 6}, tokens, 2),
              ElementsAre(5, 6, 1, 2, 5, 6));
  EXPECT_THAT(EmbeddingWeightGradient(tokens, std::vector<float>{1, 2, 4}, 3, 1),
              ElementsAre(2, 0, 5));
  EXPECT_THAT(EmbeddingWeightGradient({}, {}, 2, 2), Each(0));
  EXPECT_DEATH(Embedding(std::vector<float>(2), tokens, 1), "broken invariant");
}

TEST(Embedding, GradientsAreTheDifferences) {
  const std::vector<int32_t> tokens = {1, 1, 4, 0, 1};
  const auto table = Normal(5 * 3, 1), dy = Normal(5 * 3, 2);
  ExpectGradient([&](auto at) { return Dot(Embedding(at, tokens, 3), dy); }, table,
                 EmbeddingWeightGradient(tokens, dy, 5, 3));
}

// 3 - 2^40 + 2^10 times 2^30: in float the 3 would be lost beside 2^40.
TEST(Embedding, AddsWide) {
  const std::vector<int32_t> tokens(2 + 1024);
  std::vector<float> dy(tokens.size(), 0x1p30F);
  dy[0] = 3;
  dy[1] = -0x1p40F;
  EXPECT_THAT(EmbeddingWeightGradient(tokens, dy, 1, 1), ElementsAre(3));
}

TEST(Bf16, RoundsToNearestAndTiesToEven) {
  for (uint32_t code = 0; code < 0x7f80; ++code) {
    const auto low = static_cast<uint16_t>(code), high = static_cast<uint16_t>(code + 1);
    ASSERT_EQ(EncodeBf16(DecodeBf16(low)), low);
    if (high == 0x7f80) break;  // infinity
    const double exact = (double{DecodeBf16(low)} + DecodeBf16(high)) / 2;
    const float middle = static_cast<float>(exact);
    ASSERT_EQ(EncodeBf16(middle), code % 2 == 0 ? low : high) << code;
    ASSERT_EQ(EncodeBf16(std::nextafter(middle, 0.0F)), low) << code;
    ASSERT_EQ(EncodeBf16(std::nextafter(middle, kInfinity)), high) << code;
    ASSERT_EQ(EncodeBf16(-middle), EncodeBf16(middle) | 0x8000) << code;
  }
  EXPECT_EQ(EncodeBf16(kInfinity), 0x7f80);
  EXPECT_EQ(EncodeBf16(std::numeric_limits<float>::max()), 0x7f80);
  EXPECT_EQ(EncodeBf16(1 + 1.0F / 256), 0x3f80);
  EXPECT_TRUE(std::isnan(DecodeBf16(EncodeBf16(kNan))));
  EXPECT_TRUE(std::isnan(DecodeBf16(EncodeBf16(std::numeric_limits<float>::signaling_NaN()))));
  // One whose fraction is in the lower half only.
  EXPECT_TRUE(std::isnan(DecodeBf16(EncodeBf16(std::bit_cast<float>(0x7f800001u)))));
}

TEST(AdamW, ByHand) {
  const std::vector<float> gradient = {2, 0};
  std::vector<float> w = {1, 1};
  std::vector<uint16_t> m(2), v(2);
  const AdamW adamw{0.1, 0.9, 0.95, 1e-8, 0.1};
  AdamWStep(adamw, 1, gradient, w, m, v);
  EXPECT_THAT(w, ElementsAre(FloatNear(0.89F, 1e-7F), FloatNear(0.99F, 1e-7F)));  // decay alone
  EXPECT_EQ(DecodeBf16(m[0]), 0.2001953125F);
  EXPECT_EQ(v[0], m[0]);
  EXPECT_THAT(m[1], 0);
  // The second step starts from what is stored, 0.2001953125 and not 0.2:
  // m = .9 x .2001953125 + .1 x 2 = .38017578125, / .19 = 2.0009251645
  // v = .95 x .2001953125 + .05 x 4 = .390185546875, / .0975 = 4.0019030449, root 2.0004757047
  // w = .89 - .1 (1.0002246762 + .089) = .7810775324
  AdamWStep(adamw, 2, gradient, w, m, v);
  EXPECT_NEAR(w[0], .7810775324, 1e-7);
  EXPECT_EQ(m[0], EncodeBf16(.38017578125F));
  EXPECT_EQ(v[0], EncodeBf16(.390185546875F));
}

// Beside the same in double, with the most that BF16 moments and FP32 weights can make of it.
TEST(AdamW, StaysWithinBf16OfTheWide) {
  constexpr size_t kWeights = 200;
  constexpr AdamW kAdamW{1e-2, 0.9, 0.95, 1e-8, 0.1};
  std::vector<float> w = Normal(kWeights, 1);
  std::vector<double> wide(w.begin(), w.end()), m_wide(kWeights), v_wide(kWeights);
  std::vector<double> m_error(kWeights), v_error(kWeights), w_error(kWeights);
  std::vector<uint16_t> m(kWeights), v(kWeights);
  double most = 0;
  for (int64_t step = 1; step <= 200; ++step) {
    const auto gradient = Normal(kWeights, static_cast<uint32_t>(100 + step), 1e-3F);
    AdamWStep(kAdamW, step, gradient, w, m, v);
    const double seen1 = 1 - std::pow(0.9, step), seen2 = 1 - std::pow(0.95, step);
    for (size_t i = 0; i < kWeights; ++i) {
      const double g = gradient[i];
      m_wide[i] = 0.9 * m_wide[i] + 0.1 * g;
      v_wide[i] = 0.95 * v_wide[i] + 0.05 * g * g;
      const double update = m_wide[i] / seen1 / (std::sqrt(v_wide[i] / seen2) + 1e-8);
      m_error[i] *= 0.9;
      v_error[i] *= 0.95;
      double off = 0;  // the worst of the corners
      for (const double sign : {-1, 1}) {
        const double numerator = (std::fabs(m_wide[i]) + m_error[i] * sign) / seen1;
        const double root = std::sqrt((v_wide[i] - v_error[i] * sign) / seen2) + 1e-8;
        off = std::max(off, std::fabs(numerator / root - std::fabs(update)));
      }
      wide[i] -= 1e-2 * (update + 0.1 * wide[i]);
      w_error[i] = (1 - 1e-3) * w_error[i] + 1e-2 * off + std::ldexp(std::fabs(w[i]), -23);
      ASSERT_LE(std::fabs(w[i] - wide[i]), w_error[i]) << step << " " << i;
      m_error[i] += kBf16Error * 1.001 * (std::fabs(m_wide[i]) + m_error[i]);
      v_error[i] += kBf16Error * 1.001 * (v_wide[i] + v_error[i]);
      ASSERT_LE(std::fabs(DecodeBf16(m[i]) - m_wide[i]), m_error[i]);
      ASSERT_LE(std::fabs(DecodeBf16(v[i]) - v_wide[i]), v_error[i]);
      most = std::max(most, std::fabs(w[i] - wide[i]));
    }
  }
  EXPECT_GT(most, 1e-5);  // it is BF16, after all
}

// Without gradient the moments of 0.95 fade; those of 0.999 stay where BF16 first holds them.
TEST(AdamW, WhatBf16CannotForget) {
  for (const double beta2 : {0.95, 0.999}) {
    const AdamW adamw{1e-3, 0.9, beta2, 1e-8, 0};
    std::vector<float> w = {1};
    std::vector<uint16_t> m(1), v = {EncodeBf16(1.5F)};
    for (int64_t step = 1; step <= 1000; ++step) {
      AdamWStep(adamw, step, std::vector<float>{0}, w, m, v);
    }
    EXPECT_EQ(w[0], 1);
    if (beta2 == 0.95) {
      EXPECT_LT(DecodeBf16(v[0]), 1e-9F);
    } else {
      EXPECT_EQ(DecodeBf16(v[0]), 1.5F);
    }
  }
}

TEST(AdamW, ExtremeGradients) {
  std::vector<float> w = {1, 1, 1, 1};
  std::vector<uint16_t> m(4), v(4);
  AdamWStep({0.1, 0.9, 0.95, 1e-8, 0}, 1, std::vector<float>{1e15F, -1e-30F, 3e38F, kNan}, w, m, v);
  EXPECT_NEAR(w[0], 0.9, 1e-6);  // the size of a gradient does not matter,
  EXPECT_NEAR(w[1], 1, 1e-6);    // until it is far below epsilon
  EXPECT_NEAR(w[2], 0.9, 1e-6);
  EXPECT_EQ(v[2], 0x7f80);  // its square is beyond BF16: this weight moves no more
  EXPECT_TRUE(std::isnan(w[3]) && std::isnan(DecodeBf16(m[3])));
  EXPECT_DEATH(AdamWStep({}, 0, {}, {}, {}, {}), "broken invariant");
}

}  // namespace
}  // namespace pipescope::kernels
