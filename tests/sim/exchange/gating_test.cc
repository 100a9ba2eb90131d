// Routing: groups are kept to, loads are met, tokens are deduplicated.
#include "sim/exchange/gating.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "sim/costs/routing.h"

namespace pipescope::exchange {
namespace {

double MeanGpus(const Routing& r) {
  return static_cast<double>(r.gpus.size()) / static_cast<double>(r.tokens());
}

double MeanNodes(const Routing& r, int per_node) {
  double nodes = 0;
  for (int64_t t = 0; t < r.tokens(); ++t) {
    std::set<int> distinct;
    for (const int gpu : r.Of(t)) distinct.insert(gpu / per_node);
    nodes += static_cast<double>(distinct.size());
  }
  return nodes / static_cast<double>(r.tokens());
}

// The closed form takes groups at random; drawn so, both must agree within sampling error.
TEST(Gating, AgreesWithTheClosedForm) {
  for (const int gpus : {8, 16, 32, 64, 128}) {
    Gating g;
    g.score = GroupScore::kRandom;
    const Routing r = DrawRouting(g, gpus, 0, 20'000);
    model::ModelConfig model;
    model.routed_experts = g.experts;
    model.experts_per_token = g.top_k;
    model.expert_groups = g.groups;
    model.groups_per_token = g.groups_per_token;
    const auto spread = costs::SpreadOf(model, gpus, 8);
    ASSERT_TRUE(spread.has_value());
    // A token's count is off by less than 1.5; the mean of 20 000 by 4 standard errors of that.
    EXPECT_NEAR(MeanGpus(r), spread->token_gpus, 4 * 1.5 / std::sqrt(20'000)) << gpus;
    EXPECT_NEAR(MeanNodes(r, 8), spread->token_nodes, 4 * 1.0 / std::sqrt(20'000)) << gpus;
  }
}

// Whoever picks groups by their best experts then uses nearly all of them.
TEST(Gating, BestGroupsAreUsedMoreThanRandomOnes) {
  Gating g;
  g.score = GroupScore::kRandom;
  const double random = MeanNodes(DrawRouting(g, 64, 0, 4096), 8);
  g.score = GroupScore::kBestTwo;
  const double two = MeanNodes(DrawRouting(g, 64, 0, 4096), 8);
  g.score = GroupScore::kBestOne;
  const double one = MeanNodes(DrawRouting(g, 64, 0, 4096), 8);
  EXPECT_LT(random, two);
  EXPECT_LT(two, one);
  EXPECT_LE(one, 4);
}

TEST(Gating, EveryTokenHasItsExpertsOnceAndItsGroupsOnly) {
  Gating g;
  const Routing r = DrawRouting(g, 256, 3, 2000);  // a GPU an expert: nothing to deduplicate
  int64_t rows = 0;
  for (const int64_t tokens : r.expert_tokens) rows += tokens;
  EXPECT_EQ(rows, 2000 * 8);
  for (int64_t t = 0; t < r.tokens(); ++t) {
    std::set<int> groups;
    int last = -1;
    for (const int gpu : r.Of(t)) {
      EXPECT_GT(gpu, last);
      last = gpu;
      groups.insert(gpu / 32);
    }
    ASSERT_EQ(r.Of(t).size(), 8u);
    EXPECT_LE(groups.size(), 4u);
  }
}

// The same draw on fewer GPUs: exactly the set of GPUs that hold the token's experts.
TEST(Gating, DeduplicationIsExact) {
  Gating g;
  const Routing experts = DrawRouting(g, 256, 0, 1000);
  const Routing gpus = DrawRouting(g, 64, 0, 1000);
  for (int64_t t = 0; t < 1000; ++t) {
    std::set<int> expected;
    for (const int expert : experts.Of(t)) expected.insert(expert / 4);
    EXPECT_EQ(std::vector<int>(expected.begin(), expected.end()),
              std::vector<int>(gpus.Of(t).begin(), gpus.Of(t).end()));
  }
}

// One expert a token: draws in proportion to the loads.
TEST(Gating, LoadsAreMet) {
  Gating g;
  g.experts = 4;
  g.groups = g.groups_per_token = g.top_k = 1;
  g.loads = {4, 3, 2, 1};
  const Routing r = DrawRouting(g, 4, 0, 100'000);
  for (size_t e = 0; e < 4; ++e) {
    EXPECT_NEAR(static_cast<double>(r.expert_tokens[e]) / 10'000, g.loads[e], 0.06) << e;
  }
}

TEST(Gating, SkewMakesTheBusiestExpertBusier) {
  Gating g;
  int64_t last = 0;
  for (const double skew : {0.0, 0.5, 1.0}) {
    g.skew = skew;
    const Routing r = DrawRouting(g, 64, 0, 4096);
    const int64_t most = *std::max_element(r.expert_tokens.begin(), r.expert_tokens.end());
    EXPECT_GT(most, last);
    last = most;
  }
}

TEST(Gating, EqualSeedsEqualDraws) {
  Gating g;
  EXPECT_EQ(DrawRouting(g, 64, 5, 500).gpus, DrawRouting(g, 64, 5, 500).gpus);
  EXPECT_NE(DrawRouting(g, 64, 5, 500).gpus, DrawRouting(g, 64, 6, 500).gpus);
  Gating other = g;
  other.seed = 2;
  EXPECT_NE(DrawRouting(g, 64, 5, 500).gpus, DrawRouting(other, 64, 5, 500).gpus);
}

TEST(Gating, RefusesWhatDoesNotDivide) {
  Gating g;
  EXPECT_TRUE(CheckGating(g, 64).has_value());
  EXPECT_FALSE(CheckGating(g, 48).has_value());
  g.groups = 7;
  EXPECT_FALSE(CheckGating(g, 64).has_value());
  g = {};
  g.groups_per_token = 9;
  EXPECT_FALSE(CheckGating(g, 64).has_value());
  g = {};
  g.top_k = 129;
  EXPECT_FALSE(CheckGating(g, 64).has_value());
  g = {};
  g.loads = {1, 2};
  EXPECT_FALSE(CheckGating(g, 64).has_value());
  g.loads.assign(256, 0);
  EXPECT_FALSE(CheckGating(g, 64).has_value());
}

}  // namespace
}  // namespace pipescope::exchange
