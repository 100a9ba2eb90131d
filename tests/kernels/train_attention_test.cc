// Attention: examples by hand, masks, gradients, and that MLA's two forms are one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/train/attention.h"
#include "tests/kernels/gradients.h"

namespace pipescope::kernels {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::FloatNear;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(Attention, ByHand) {
  const std::vector<float> q = {1}, k = {0, std::log(3.F)}, v = {0, 4};
  const AttentionResult one = Attention(q, k, v, {});
  EXPECT_THAT(one.out, ElementsAre(FloatNear(3, 1e-6F)));
  EXPECT_THAT(one.log_sums, ElementsAre(FloatNear(std::log(4.F), 1e-6F)));
  // Three queries that look at all alike: means of what each sees.
  const std::vector<float> zero(3), values = {1, 3, 8};
  AttentionShape shape;
  const auto means = [&] { return Attention(zero, zero, values, shape).out; };
  EXPECT_THAT(means(), ElementsAre(1, 2, 4));
  shape.window = 2;
  EXPECT_THAT(means(), ElementsAre(1, 2, 5.5F));
  shape = {.causal = false};
  EXPECT_THAT(means(), ElementsAre(4, 4, 4));
}

TEST(Attention, AWindowOfOneCopies) {
  const AttentionShape shape = {4, 2, 3, 5, 0.7, true, 1};
  const auto q = Normal(6 * 12, 1), k = Normal(6 * 6, 2), v = Normal(6 * 10, 3);
  const auto d_out = Normal(6 * 20, 4);
  const AttentionResult result = Attention(q, k, v, shape);
  const AttentionGradients gradients = AttentionInputGradient(q, k, v, d_out, shape);
  for (size_t t = 0; t < 6; ++t) {
    for (size_t c = 0; c < 10; ++c) {  // a key head, then a channel
      const size_t first = t * 20 + c / 5 * 10 + c % 5;
      EXPECT_EQ(result.out[first], v[t * 10 + c]);
      EXPECT_EQ(result.out[first + 5], v[t * 10 + c]);
      EXPECT_FLOAT_EQ(gradients.dv[t * 10 + c], d_out[first] + d_out[first + 5]);
    }
  }
  EXPECT_THAT(gradients.dq, Each(0));
  EXPECT_THAT(gradients.dk, Each(0));
}

struct Case {
  AttentionShape shape;
  int64_t queries, keys;
};

TEST(Attention, GradientsAreTheDifferences) {
  const Case cases[] = {
      {{1, 1, 4, 4, 0.5}, 5, 5},          {{4, 2, 6, 4, 0.4}, 4, 4},
      {{3, 1, 5, 2, 0.4, true, 2}, 6, 6}, {{2, 2, 3, 3, 0.6, true, 3}, 3, 7},
      {{2, 1, 3, 4, 0.6, false}, 4, 6},   {{2, 2, 6, 4, 0.4, true, 100}, 1, 5},
      {{1, 1, 3, 2, 0.6}, 6, 4},  // the first two queries see nothing
  };
  for (const auto& [s, queries, keys] : cases) {
    const auto q = Normal(queries * s.heads * s.qk_channels, 1);
    const auto k = Normal(keys * s.kv_heads * s.qk_channels, 2);
    const auto v = Normal(keys * s.kv_heads * s.v_channels, 3);
    const auto d_out = Normal(queries * s.heads * s.v_channels, 4);
    const AttentionGradients gradients = AttentionInputGradient(q, k, v, d_out, s);
    const AttentionShape& shape = s;
    ExpectGradient([&](auto at) { return Dot(Attention(at, k, v, shape).out, d_out); }, q,
                   gradients.dq);
    ExpectGradient([&](auto at) { return Dot(Attention(q, at, v, shape).out, d_out); }, k,
                   gradients.dk);
    ExpectGradient([&](auto at) { return Dot(Attention(q, k, at, shape).out, d_out); }, v,
                   gradients.dv);
  }
}

// What the log-sums are for: parts of the keys, put together by them, are the whole.
TEST(Attention, PartsMakeTheWhole) {
  constexpr AttentionShape kShape = {1, 1, 8, 4, 1, false};
  const auto q = Normal(3 * 8, 1), k = Normal(10 * 8, 2), v = Normal(10 * 4, 3);
  const auto part = [&](size_t first, size_t count) {
    return Attention(q, std::span(k).subspan(first * 8, count * 8),
                     std::span(v).subspan(first * 4, count * 4), kShape);
  };
  const AttentionResult whole = part(0, 10), left = part(0, 3), right = part(3, 7);
  for (size_t i = 0; i < 12; ++i) {
    const double l = std::exp(left.log_sums[i / 4]), r = std::exp(right.log_sums[i / 4]);
    EXPECT_NEAR(whole.log_sums[i / 4], std::log(l + r), 1e-5);
    EXPECT_NEAR(whole.out[i], (left.out[i] * l + right.out[i] * r) / (l + r), 1e-5);
  }
}

// [rows][inner] x [columns][inner]', as float.
std::vector<float> Times(const std::vector<float>& a, const std::vector<float>& b, size_t inner) {
  std::vector<float> c;
  for (size_t i = 0; i < a.size(); i += inner) {
    for (size_t j = 0; j < b.size(); j += inner) {
      c.push_back(
          static_cast<float>(Dot(std::span(a).subspan(i, inner), std::span(b).subspan(j, inner))));
    }
  }
  return c;
}

// MLA (arXiv 2405.04434, section 2.1): heads with keys and values of their own, k = [c Wk', r] and
// v = c Wv', are one shared head [c, r] with c as its value, if Wk moves to q and Wv behind o.
TEST(Attention, MlasTwoFormsAreOne) {
  constexpr size_t kTokens = 9, kHeads = 3, kLatent = 16, kNope = 12, kRope = 6, kValue = 10;
  constexpr AttentionShape kOwn = {kHeads, kHeads, kNope + kRope, kValue, 0.25};
  constexpr AttentionShape kShared = {kHeads, 1, kLatent + kRope, kLatent, 0.25};
  const auto c = Normal(kTokens * kLatent, 1), r = Normal(kTokens * kRope, 2);
  const auto q = Normal(kTokens * kHeads * (kNope + kRope), 3);
  std::vector<std::vector<float>> wk, wv;
  for (uint32_t h = 0; h < kHeads; ++h) {
    wk.push_back(Normal(kNope * kLatent, 10 + h, 0.25F));   // [nope][latent]
    wv.push_back(Normal(kValue * kLatent, 20 + h, 0.25F));  // [value][latent]
  }
  std::vector<float> k_own, v_own, k_shared, q_shared;
  const auto append = [](std::vector<float>& to, std::span<const float> more) {
    to.insert(to.end(), more.begin(), more.end());
  };
  for (size_t t = 0; t < kTokens; ++t) {
    const std::vector<float> ct(&c[t * kLatent], &c[t * kLatent] + kLatent);
    const auto rope = std::span(r).subspan(t * kRope, kRope);
    append(k_shared, ct);
    append(k_shared, rope);
    for (size_t h = 0; h < kHeads; ++h) {
      append(k_own, Times(ct, wk[h], kLatent));
      append(k_own, rope);
      append(v_own, Times(ct, wv[h], kLatent));
      const auto head = std::span(q).subspan((t * kHeads + h) * (kNope + kRope), kNope + kRope);
      for (size_t l = 0; l < kLatent; ++l) {
        double sum = 0;
        for (size_t n = 0; n < kNope; ++n) sum += double{head[n]} * wk[h][n * kLatent + l];
        q_shared.push_back(static_cast<float>(sum));
      }
      append(q_shared, head.subspan(kNope));
    }
  }
  const AttentionResult own = Attention(q, k_own, v_own, kOwn);
  const AttentionResult shared = Attention(q_shared, k_shared, c, kShared);
  for (size_t row = 0; row < kTokens * kHeads; ++row) {
    EXPECT_NEAR(own.log_sums[row], shared.log_sums[row], 1e-5);
    const std::vector<float> o(&shared.out[row * kLatent], &shared.out[row * kLatent] + kLatent);
    const auto values = Times(o, wv[row % kHeads], kLatent);
    for (size_t i = 0; i < kValue; ++i) EXPECT_NEAR(values[i], own.out[row * kValue + i], 1e-5);
  }
}

TEST(Attention, Extremes) {
  // Scores of 1e36 and beyond: the largest key alone, no NaN; equal ones share.
  const std::vector<float> q = {1e18F}, k = {1e18F, -1e18F, 1e18F, 1}, v = {2, 50, 4, 70}, d = {1};
  const AttentionResult huge = Attention(q, k, v, {});
  EXPECT_THAT(huge.out, ElementsAre(3));
  EXPECT_THAT(huge.log_sums, ElementsAre(FloatNear(1e36F, 1e30F)));
  EXPECT_THAT(AttentionInputGradient(q, k, v, d, {}).dv, ElementsAre(.5F, 0, .5F, 0));
  const AttentionResult blind = Attention(std::vector<float>{1, 1}, q, q, {});
  EXPECT_THAT(blind.out, ElementsAre(0, 1e18F));
  EXPECT_EQ(blind.log_sums[0], -kInfinity);
  EXPECT_THAT(Attention(q, {}, {}, {}).out, ElementsAre(0));
  EXPECT_TRUE(Attention({}, k, v, {}).out.empty());
  EXPECT_DEATH(Attention(q, k, v, {.window = 0}), "broken invariant");
  EXPECT_DEATH(Attention(q, k, v, {.heads = 3, .kv_heads = 2}), "broken invariant");
}

}  // namespace
}  // namespace pipescope::kernels
