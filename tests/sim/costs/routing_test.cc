// Routing statistics against counting every choice, and against drawing many.
#include "sim/costs/routing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <set>

namespace pipescope::costs {
namespace {

model::ModelConfig Model(int experts, int groups, int groups_per_token, int per_token) {
  model::ModelConfig m;
  m.routed_experts = experts;
  m.expert_groups = groups;
  m.groups_per_token = groups_per_token;
  m.experts_per_token = per_token;
  return m;
}

struct Counted {
  double nodes = 0;
  double gpus = 0;
};

Counted CountOne(const std::vector<int>& experts, const model::ModelConfig& m, int gpus,
                 int nodes) {
  std::set<int> on_gpus, on_nodes;
  for (const int expert : experts) {
    on_gpus.insert(expert / (m.routed_experts / gpus));
    on_nodes.insert(expert / (m.routed_experts / nodes));
  }
  return {static_cast<double>(on_nodes.size()), static_cast<double>(on_gpus.size())};
}

// Calls `visit` with every subset of k of `from`.
template <class Visit>
void ForEachSubset(const std::vector<int>& from, int k, const Visit& visit) {
  std::vector<bool> picked(from.size(), false);
  std::fill(picked.begin(), picked.begin() + k, true);
  do {
    std::vector<int> subset;
    for (size_t i = 0; i < from.size(); ++i) {
      if (picked[i]) subset.push_back(from[i]);
    }
    visit(subset);
  } while (std::prev_permutation(picked.begin(), picked.end()));
}

// Every choice of groups, then every choice of experts in them, all equally likely.
Counted Enumerate(const model::ModelConfig& m, int gpus, int nodes) {
  std::vector<int> groups(static_cast<size_t>(m.expert_groups));
  std::iota(groups.begin(), groups.end(), 0);
  const int size = m.routed_experts / m.expert_groups;
  Counted sum;
  double choices = 0;
  ForEachSubset(groups, m.groups_per_token, [&](const std::vector<int>& picked) {
    std::vector<int> experts;
    for (const int group : picked) {
      for (int i = 0; i < size; ++i) experts.push_back(group * size + i);
    }
    ForEachSubset(experts, m.experts_per_token, [&](const std::vector<int>& chosen) {
      const Counted one = CountOne(chosen, m, gpus, nodes);
      sum.nodes += one.nodes;
      sum.gpus += one.gpus;
      ++choices;
    });
  });
  return {sum.nodes / choices, sum.gpus / choices};
}

Counted Draw(const model::ModelConfig& m, int gpus, int nodes, int tokens) {
  std::mt19937 random(1);
  const int size = m.routed_experts / m.expert_groups;
  std::vector<int> groups(static_cast<size_t>(m.expert_groups));
  std::iota(groups.begin(), groups.end(), 0);
  Counted sum;
  for (int t = 0; t < tokens; ++t) {
    std::shuffle(groups.begin(), groups.end(), random);
    std::vector<int> experts;
    for (int g = 0; g < m.groups_per_token; ++g) {
      for (int i = 0; i < size; ++i) experts.push_back(groups[static_cast<size_t>(g)] * size + i);
    }
    std::shuffle(experts.begin(), experts.end(), random);
    experts.resize(static_cast<size_t>(m.experts_per_token));
    const Counted one = CountOne(experts, m, gpus, nodes);
    sum.nodes += one.nodes;
    sum.gpus += one.gpus;
  }
  return {sum.nodes / tokens, sum.gpus / tokens};
}

struct Case {
  int experts, groups, groups_per_token, per_token, gpus, gpus_per_node;
};

TEST(Routing, EqualsCountingEveryChoice) {
  const Case cases[] = {{8, 4, 2, 3, 8, 2},   {8, 4, 2, 3, 4, 2},  {8, 4, 2, 2, 4, 1},
                        {12, 3, 2, 4, 12, 4}, {12, 3, 2, 4, 6, 2}, {16, 4, 2, 4, 4, 2},
                        {16, 8, 4, 4, 4, 2},  {16, 8, 3, 5, 2, 1}, {8, 1, 1, 3, 8, 4},
                        {8, 1, 1, 8, 4, 2},   {8, 8, 3, 3, 8, 2},  {16, 8, 4, 2, 1, 8}};
  for (const Case& c : cases) {
    const auto m = Model(c.experts, c.groups, c.groups_per_token, c.per_token);
    const auto spread = SpreadOf(m, c.gpus, c.gpus_per_node);
    ASSERT_TRUE(spread) << spread.error().message;
    const Counted counted = Enumerate(m, c.gpus, spread->nodes);
    EXPECT_NEAR(spread->token_nodes, counted.nodes, 1e-9) << c.experts << " on " << c.gpus;
    EXPECT_NEAR(spread->token_gpus, counted.gpus, 1e-9) << c.experts << " on " << c.gpus;
  }
}

TEST(Routing, EqualsDrawingManyTokens) {
  const auto m = Model(256, 8, 4, 8);
  for (const int gpus : {8, 16, 32, 64, 128, 256}) {
    const auto spread = SpreadOf(m, gpus, 8);
    ASSERT_TRUE(spread);
    const Counted drawn = Draw(m, gpus, spread->nodes, 40'000);
    EXPECT_NEAR(spread->token_nodes, drawn.nodes, 0.02) << gpus;
    EXPECT_NEAR(spread->token_gpus, drawn.gpus, 0.02) << gpus;
  }
}

TEST(Routing, OfDeepSeekV3) {
  const auto spread = SpreadOf(Model(256, 8, 4, 8), 64, 8).value();
  EXPECT_EQ(spread.nodes, 8);
  EXPECT_NEAR(spread.token_nodes, 3.635, 0.006);
  EXPECT_NEAR(spread.token_gpus, 7.35, 0.01);
  EXPECT_NEAR(spread.network_rows(), spread.token_nodes * 7 / 8, 1e-12);
  EXPECT_NEAR(spread.nvlink_rows(), spread.token_gpus * 7 / 8, 1e-12);
}

TEST(Routing, WhatDoesNotDivideIsAnError) {
  using testing::HasSubstr;
  EXPECT_THAT(SpreadOf(Model(256, 8, 4, 8), 60, 8).error().message,
              HasSubstr("60 GPUs do not divide the model's 256 routed experts"));
  EXPECT_THAT(SpreadOf(Model(96, 8, 4, 8), 12, 8).error().message,
              HasSubstr("12 GPUs do not fill whole nodes of 8"));
  EXPECT_THAT(SpreadOf(Model(96, 6, 4, 8), 4, 8).error().message,
              HasSubstr("24 experts side by side do not line up with expert groups of 16"));
}

}  // namespace
}  // namespace pipescope::costs
