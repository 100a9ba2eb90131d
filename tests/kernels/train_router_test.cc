// Routing and permutation: the choice and its order, weights, gradients, empty experts, tails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "kernels/train/permute.h"
#include "kernels/train/router.h"
#include "tests/kernels/gradients.h"

namespace pipescope::kernels {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::FloatNear;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

RouterConfig V3() { return {256, 8, 8, 4, 2, Scoring::kSigmoid, true, 2.5}; }

float Logit(double score) { return static_cast<float>(std::log(score / (1 - score))); }

TEST(Router, ByHand) {
  const std::vector<float> logits = {Logit(.9), Logit(.1), Logit(.6), Logit(.5)};
  const RouterConfig config = {4, 2, 2, 1, 2, Scoring::kSigmoid, true, 1};
  const Routes routes = Route(logits, {}, config);
  EXPECT_THAT(routes.experts, ElementsAre(2, 3));
  EXPECT_THAT(routes.weights, ElementsAre(FloatNear(6 / 11.F, 1e-6F), FloatNear(5 / 11.F, 1e-6F)));
  // The bias turns the choice to the other group; the weights stay those of the scores.
  const Routes biased = Route(logits, std::vector<float>{0, 0.85F, 0, 0}, config);
  EXPECT_THAT(biased.experts, ElementsAre(1, 0));
  EXPECT_THAT(biased.weights, ElementsAre(FloatNear(.1F, 1e-6F), FloatNear(.9F, 1e-6F)));
}

TEST(Router, SoftmaxByHand) {
  const std::vector<float> logits = {0, std::log(2.F), std::log(5.F)};  // 1/8, 2/8, 5/8
  const RouterConfig config = {3, 2, 1, 1, 1, Scoring::kSoftmax, false, 1};
  const Routes routes = Route(logits, {}, config);
  EXPECT_THAT(routes.experts, ElementsAre(2, 1));
  EXPECT_THAT(routes.weights, ElementsAre(FloatNear(.625F, 1e-6F), FloatNear(.25F, 1e-6F)));
  EXPECT_THAT(Route(std::vector<float>{3e38F, -3e38F, 3e38F}, {}, config).weights, Each(0.5F));
}

// Against a choice made another way: all experts in order, taken while their group is allowed.
TEST(Router, ManyTokensOfV3) {
  const auto logits = Normal(200 * 256, 1), bias = Normal(256, 2, 0.1F);
  const Routes routes = Route(logits, bias, V3());
  for (size_t t = 0; t < 200; ++t) {
    const auto biased = [&](size_t e) {
      return 1 / (1 + std::exp(-double{logits[t * 256 + e]})) + bias[e];
    };
    std::vector<std::pair<double, size_t>> groups;
    for (size_t g = 0; g < 8; ++g) {
      std::vector<double> in;
      for (size_t e = 0; e < 32; ++e) in.push_back(biased(g * 32 + e));
      std::sort(in.rbegin(), in.rend());
      groups.emplace_back(-(in[0] + in[1]), g);
    }
    std::sort(groups.begin(), groups.end());
    std::set<size_t> allowed;
    for (size_t i = 0; i < 4; ++i) allowed.insert(groups[i].second);
    std::vector<std::pair<double, int32_t>> experts;
    for (size_t e = 0; e < 256; ++e) {
      if (allowed.count(e / 32)) experts.emplace_back(-biased(e), static_cast<int32_t>(e));
    }
    std::sort(experts.begin(), experts.end());
    double sum = 0;
    for (size_t k = 0; k < 8; ++k) {
      ASSERT_EQ(routes.experts[t * 8 + k], experts[k].second) << t << " " << k;
      sum += routes.weights[t * 8 + k];
    }
    ASSERT_NEAR(sum, 2.5, 1e-6);
  }
}

TEST(Router, TiesGoToTheSmallerIndex) {
  const std::vector<float> equal(256, 0.5F);
  EXPECT_THAT(Route(equal, {}, V3()).experts, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  // The better groups are 7 and 6, then 0 and 1 by their index; all experts but two tie.
  std::vector<float> logits = equal;
  logits[7 * 32 + 9] = 2;
  logits[6 * 32 + 31] = 1;
  EXPECT_THAT(Route(logits, {}, V3()).experts, ElementsAre(233, 223, 0, 1, 2, 3, 4, 5));
}

TEST(Router, AdversarialScores) {
  const RouterConfig config = {4, 2, 2, 1, 2, Scoring::kSigmoid, true, 1};
  // Below zero everywhere: never an expert of the other group.
  const auto route = [&](std::vector<float> logits, std::vector<float> bias) {
    return Route(logits, bias, config);
  };
  EXPECT_THAT(route({0, 0, 0, 0}, {-5, -5, -4, -5}).experts, ElementsAre(2, 3));
  // Scores that vanish altogether: weights of zero, not NaN.
  const Routes zero = route({-1e30F, -1e30F, -1e30F, -1e30F}, {});
  EXPECT_THAT(zero.weights, ElementsAre(0, 0));
  const Routes huge = route({1e30F, -1e30F, 0, 0}, {});
  EXPECT_THAT(huge.experts, ElementsAre(0, 1));  // both groups score 1: the first
  EXPECT_THAT(huge.weights, ElementsAre(1, 0));
  EXPECT_THAT(route({kNan, 9, 0, 0}, {}).experts, ElementsAre(2, 3));
  EXPECT_THAT(route({kNan, kNan, kNan, kNan}, {}).experts, ElementsAre(0, 1));
  EXPECT_DEATH(Route(std::vector<float>(4), {}, {4, 3, 2, 1, 2}), "broken invariant");
}

TEST(Router, GradientsAreTheDifferences) {
  for (const Scoring scoring : {Scoring::kSigmoid, Scoring::kSoftmax}) {
    for (const bool normalised : {true, false}) {
      const RouterConfig config = {12, 3, 4, 2, 2, scoring, normalised, 2.5};
      // Far enough apart that no step of the differences changes the choice.
      std::vector<float> logits, bias(12);
      for (size_t i = 0; i < 24; ++i) logits.push_back(static_cast<float>(i * 7 % 12) / 3 - 2);
      const Routes routes = Route(logits, bias, config);
      const auto d_weights = Normal(6, 3);
      ExpectGradient(
          [&](auto at) {
            const Routes moved = Route(at, bias, config);
            EXPECT_EQ(moved.experts, routes.experts);
            return Dot(moved.weights, d_weights);
          },
          logits, RouteInputGradient(logits, routes.experts, d_weights, config));
    }
  }
}

TEST(Permute, ByHand) {
  const std::vector<int32_t> chosen = {1, 0, 1};
  const Permutation by = MakePermutation(chosen, 1, 3, 2);
  EXPECT_THAT(by.counts, ElementsAre(1, 2, 0));
  EXPECT_THAT(by.offsets, ElementsAre(0, 2, 4, 4));
  EXPECT_THAT(by.slots, ElementsAre(1, -1, 0, 2));
  EXPECT_THAT(by.rows_of, ElementsAre(2, 0, 3));
  const std::vector<float> x = {10, 11, 12}, weights = {1, 2, 3};
  EXPECT_THAT(Permute(x, by, 1), ElementsAre(11, 0, 10, 12));
  EXPECT_THAT(Unpermute(std::vector<float>{5, kNan, 6, 7}, weights, by, 1), ElementsAre(6, 10, 21));
}

struct Case {
  std::vector<int32_t> chosen;
  int64_t experts, alignment;
};

// Two choices a token. Empty experts at both ends, everything at one, nothing at all, no tokens.
std::vector<Case> Cases() {
  std::vector<Case> cases = {{{1, 3, 3, 1, 1, 4}, 6, 4},
                             {{2, 2, 2, 2, 2, 2}, 4, 128},
                             {{-1, -1, -1, -1}, 3, 8},
                             {{-1, 0, 2, -1, 0, 1}, 3, 1},
                             {{}, 2, 128}};
  Case random = {{}, 17, 128};
  for (const float value : Normal(600, 5, 4)) {
    random.chosen.push_back(std::clamp(static_cast<int32_t>(value) + 8, -1, 16));
  }
  cases.push_back(random);
  return cases;
}

TEST(Permute, EverySlotHasItsRow) {
  for (const Case& c : Cases()) {
    const Permutation by = MakePermutation(c.chosen, 2, c.experts, c.alignment);
    int64_t rows = 0;
    for (size_t e = 0; e < by.counts.size(); ++e) {
      EXPECT_EQ(by.offsets[e] % c.alignment, 0);
      EXPECT_GE(by.offsets[e + 1] - by.offsets[e], by.counts[e]);
      EXPECT_LT(by.offsets[e + 1] - by.offsets[e], by.counts[e] + c.alignment);
      int64_t before = -1;
      for (int64_t r = by.offsets[e]; r < by.offsets[e + 1]; ++r) {
        const int64_t slot = by.slots[static_cast<size_t>(r)];
        ASSERT_EQ(slot >= 0, r < by.offsets[e] + by.counts[e]);
        if (slot < 0) continue;
        EXPECT_LT(before, slot);
        EXPECT_EQ(c.chosen[static_cast<size_t>(slot)], static_cast<int32_t>(e));
        EXPECT_EQ(by.rows_of[static_cast<size_t>(slot)], r);
        before = slot;
        ++rows;
      }
    }
    EXPECT_EQ(rows, std::count_if(c.chosen.begin(), c.chosen.end(), [](int e) { return e >= 0; }));
  }
}

// Linear maps: their gradients are their transposes, <A x, d> = <x, A' d>, whatever is in padding.
TEST(Permute, GradientsAreTheTransposes) {
  constexpr int64_t kColumns = 3;
  for (const Case& c : Cases()) {
    const Permutation by = MakePermutation(c.chosen, 2, c.experts, c.alignment);
    const int64_t slots = static_cast<int64_t>(c.chosen.size());
    const auto x = Normal(slots / 2 * kColumns, 1), weights = Normal(slots, 2);
    auto poisoned = Normal(by.rows() * kColumns, 3), clean = poisoned;
    for (size_t i = 0; i < poisoned.size(); ++i) {
      if (by.slots[i / kColumns] < 0) poisoned[i] = kNan, clean[i] = 0;
    }
    const auto rows = Permute(x, by, kColumns);
    const auto d_rows = UnpermuteInputGradient(x, weights, by, kColumns);
    for (size_t i = 0; i < rows.size(); ++i) {
      const bool padding = by.slots[i / kColumns] < 0;
      ASSERT_TRUE(!padding || (rows[i] == 0 && d_rows[i] == 0)) << i;
    }
    EXPECT_NEAR(Dot(rows, clean), Dot(x, PermuteInputGradient(poisoned, by, kColumns)), 1e-4);
    const double loss = Dot(Unpermute(poisoned, weights, by, kColumns), x);
    EXPECT_NEAR(loss, Dot(clean, d_rows), 1e-4);
    EXPECT_NEAR(loss, Dot(weights, UnpermuteWeightGradient(x, poisoned, by, kColumns)), 1e-4);
  }
}

TEST(Permute, GradientsAreTheDifferences) {
  const Permutation by = MakePermutation(Cases()[0].chosen, 2, 6, 4);
  const auto dy = Normal(6, 1), weights = Normal(6, 2), rows = Normal(by.rows() * 2, 3);
  ExpectGradient([&](auto at) { return Dot(Unpermute(at, weights, by, 2), dy); }, rows,
                 UnpermuteInputGradient(dy, weights, by, 2));
  ExpectGradient([&](auto at) { return Dot(Unpermute(rows, at, by, 2), dy); }, weights,
                 UnpermuteWeightGradient(dy, rows, by, 2));
  ExpectGradient([&](auto at) { return Dot(Permute(at, by, 2), rows); }, dy,
                 PermuteInputGradient(rows, by, 2));
}

}  // namespace
}  // namespace pipescope::kernels
