// The element-wise layers: examples by hand, gradients against finite differences, extremes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "kernels/train/mtp.h"
#include "kernels/train/rms_norm.h"
#include "kernels/train/rope.h"
#include "kernels/train/swiglu.h"
#include "tests/kernels/gradients.h"

namespace pipescope::kernels {
namespace {

using testing::ElementsAre;
using testing::FloatNear;

TEST(RmsNorm, ByHand) {
  const std::vector<float> x = {3, 4}, weight = {1, 2};
  EXPECT_THAT(RmsNorm(x, weight, 1e-12),
              ElementsAre(FloatNear(0.848528F, 1e-6F), FloatNear(2.262742F, 1e-6F)));
}

TEST(RmsNorm, GradientsAreTheDifferences) {
  constexpr int64_t kRows = 5, kColumns = 7;
  const auto x = Normal(kRows * kColumns, 1), w = Normal(kColumns, 2);
  const auto dy = Normal(kRows * kColumns, 3);
  ExpectGradient([&](auto at) { return Dot(RmsNorm(at, w), dy); }, x,
                 RmsNormInputGradient(x, w, dy));
  ExpectGradient([&](auto at) { return Dot(RmsNorm(x, at), dy); }, w,
                 RmsNormWeightGradient(x, dy, kColumns));
}

TEST(Mtp, ByHand) {
  const std::vector<float> h = {3, 4}, e = {0, 2}, one = {1, 1};
  EXPECT_THAT(MtpJoin({h, e, one, one}),
              ElementsAre(FloatNear(0.848528F, 1e-6F), FloatNear(1.131371F, 1e-6F), 0,
                          FloatNear(1.414214F, 1e-6F)));
}

TEST(Mtp, GradientsAreTheDifferences) {
  constexpr int64_t kRows = 3, kColumns = 6;
  const auto h = Normal(kRows * kColumns, 1), e = Normal(kRows * kColumns, 2);
  const auto wh = Normal(kColumns, 3), we = Normal(kColumns, 4);
  const auto dy = Normal(2 * kRows * kColumns, 5);
  const MtpGradients d = MtpJoinInputGradient({h, e, wh, we}, dy);
  const MtpWeightGradients dw = MtpJoinWeightGradient({h, e, wh, we}, dy);
  ExpectGradient([&](auto at) { return Dot(MtpJoin({at, e, wh, we}), dy); }, h, d.dh);
  ExpectGradient([&](auto at) { return Dot(MtpJoin({h, at, wh, we}), dy); }, e, d.de);
  ExpectGradient([&](auto at) { return Dot(MtpJoin({h, e, at, we}), dy); }, wh, dw.h);
  ExpectGradient([&](auto at) { return Dot(MtpJoin({h, e, wh, at}), dy); }, we, dw.e);
}

// Norms do not depend on a row's size, so the gradient has no part along the row.
TEST(RmsNorm, TheGradientIsNormalToTheRow) {
  constexpr int64_t kColumns = 512;
  const auto x = Normal(kColumns, 4, 100), w = Normal(kColumns, 5), dy = Normal(kColumns, 6);
  const auto dx = RmsNormInputGradient(x, w, dy);
  EXPECT_NEAR(Dot(x, dx), 0, 1e-6 * std::sqrt(Dot(x, x) * Dot(dx, dx)));
}

TEST(RmsNorm, Extremes) {
  const std::vector<float> weight = {1, 2}, dy = {1, 1};
  EXPECT_THAT(RmsNorm(std::vector<float>{0, 0}, weight), ElementsAre(0, 0));
  EXPECT_THAT(RmsNormInputGradient(std::vector<float>{0, 0}, weight, dy),
              ElementsAre(FloatNear(1000, 1e-3F), FloatNear(2000, 1e-3F)));
  // Squares beyond float's range.
  EXPECT_THAT(RmsNorm(std::vector<float>{3e30F, 4e30F}, weight),
              ElementsAre(FloatNear(0.848528F, 1e-6F), FloatNear(2.262742F, 1e-6F)));
  EXPECT_TRUE(RmsNorm({}, weight).empty());
  EXPECT_THAT(RmsNormWeightGradient({}, {}, 2), ElementsAre(0, 0));
  EXPECT_DEATH(RmsNorm(std::vector<float>(3), weight), "broken invariant");
}

TEST(Rope, ByHand) {
  const std::vector<float> x = {5, 6, 1, 0};
  const std::vector<int64_t> position = {1};
  EXPECT_THAT(Rope(x, position, RopeFrequencies(2), {1, 4, 2}),
              ElementsAre(5, 6, FloatNear(0.540302F, 1e-6F), FloatNear(0.841471F, 1e-6F)));
  EXPECT_THAT(RopeFrequencies(4), ElementsAre(1, testing::DoubleNear(0.01, 1e-15)));
  // A quarter turn takes (1, 2) to (-2, 1).
  const std::vector<double> quarter = {std::numbers::pi / 2};
  EXPECT_THAT(Rope(std::vector<float>{1, 2}, position, quarter, {1, 2, 2}),
              ElementsAre(FloatNear(-2, 1e-6F), FloatNear(1, 1e-6F)));
}

// What RoPE is for: the product of a query and a key depends on their distance only.
TEST(Rope, ProductsDependOnTheDistance) {
  constexpr RopeShape kHead{1, 192, 64};
  const auto frequencies = RopeFrequencies(64);
  const auto q = Normal(192, 1), k = Normal(192, 2);
  const auto product = [&](int64_t at_q, int64_t at_k) {
    return Dot(Rope(q, std::vector{at_q}, frequencies, kHead),
               Rope(k, std::vector{at_k}, frequencies, kHead));
  };
  EXPECT_NEAR(product(0, 0), Dot(q, k), 1e-5);
  for (const int64_t shift : {1, 4095, 163840}) {
    EXPECT_NEAR(product(17 + shift, 5 + shift), product(17, 5), 1e-4) << shift;
  }
  EXPECT_GT(std::fabs(product(18, 5) - product(17, 5)), 1e-2);
}

TEST(Rope, GradientsAreTheDifferences) {
  constexpr RopeShape kShape{2, 10, 6};
  const std::vector<int64_t> positions = {0, 3, 1000};
  const auto frequencies = RopeFrequencies(6);
  const auto x = Normal(60, 1), dy = Normal(60, 2);
  ExpectGradient([&](auto at) { return Dot(Rope(at, positions, frequencies, kShape), dy); }, x,
                 RopeInputGradient(dy, positions, frequencies, kShape));
  const auto back =
      RopeInputGradient(Rope(x, positions, frequencies, kShape), positions, frequencies, kShape);
  for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(back[i], x[i], 1e-6);
  EXPECT_EQ(Rope(x, positions, {}, {2, 10, 0}), x);
  EXPECT_DEATH(Rope(x, positions, frequencies, {2, 10, 4}), "broken invariant");
}

TEST(SwiGlu, ByHand) {
  const std::vector<float> x = {2, 0, 3, 5}, dy = {1, 1};  // gates 2 and 0, ups 3 and 5
  EXPECT_THAT(SwiGlu(x, 2), ElementsAre(FloatNear(5.284782F, 1e-5F), 0));
  // At a gate of 0 the slope is 1/2.
  EXPECT_THAT(SwiGluInputGradient(x, dy, 2),
              ElementsAre(FloatNear(3.272353F, 1e-5F), 2.5F, FloatNear(1.761594F, 1e-5F), 0));
}

TEST(SwiGlu, GradientsAreTheDifferences) {
  constexpr int64_t kRows = 4, kColumns = 9;
  const auto x = Normal(kRows * 2 * kColumns, 1, 2), dy = Normal(kRows * kColumns, 2);
  ExpectGradient([&](auto at) { return Dot(SwiGlu(at, kColumns), dy); }, x,
                 SwiGluInputGradient(x, dy, kColumns));
}

TEST(SwiGlu, HugeGates) {
  const std::vector<float> x = {3e38F, -3e38F, 1e4F, -1e4F, 1, 1, 2, 2}, dy = {1, 1, 1, 1};
  EXPECT_THAT(SwiGlu(x, 4), ElementsAre(3e38F, 0, 2e4F, 0));
  EXPECT_THAT(SwiGluInputGradient(x, dy, 4), ElementsAre(1, 0, 2, 0, 3e38F, 0, 1e4F, 0));
}

}  // namespace
}  // namespace pipescope::kernels
