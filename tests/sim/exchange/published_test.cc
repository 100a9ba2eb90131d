// Published bandwidths of DeepEP, none of which a constant was taken from. Left out: the first
// release (46 / 45 GB/s with EP64), whose messages went through a proxy on the host.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "tests/sim/exchange/cases.h"

namespace pipescope::exchange {
namespace {

struct Row {
  std::string name;
  Direction direction;
  int gpus;
  double published;  // GB/s
};

constexpr Direction kD = Direction::kDispatch;
constexpr Direction kC = Direction::kCombine;

void ExpectWithin(const std::string& name, double predicted, double published, double share) {
  EXPECT_NEAR(predicted / published, 1, share)
      << name << ": " << predicted << " GB/s predicted, " << published << " published";
}

// H800, 4096 tokens, hidden 7168, top 8, FP8 dispatch, BF16 combine, 24 SMs. EP8 and EP64 from the
// legacy table; EP16 from its first version (the authors say in pull request 130 that H800 stays
// about there), EP32 from pull request 130.
TEST(Published, DeepEpOnH800) {
  for (const Row& row : {Row{"EP8 dispatch", kD, 8, 153}, Row{"EP8 combine", kC, 8, 158},
                         Row{"EP16 dispatch", kD, 16, 43}, Row{"EP16 combine", kC, 16, 43},
                         Row{"EP32 dispatch", kD, 32, 58}, Row{"EP32 combine", kC, 32, 57},
                         Row{"EP64 dispatch", kD, 64, 51}, Row{"EP64 combine", kC, 64, 50}}) {
    ExpectWithin(row.name, Gigabytes(RunAt(H800(), Benchmark(row.direction, row.gpus), 24)),
                 row.published, 0.07);
  }
}

// BF16 dispatch within a node (pplx-kernels issue 10).
TEST(Published, Bf16DispatchOnH800) {
  ExchangeCase c = Benchmark(kD, 8);
  c.fp8 = false;
  ExpectWithin("EP8 BF16", Gigabytes(RunAt(H800(), c, 24)), 160.46, 0.07);
}

// 8 H100, 20 SMs, BF16 (tilescale pull request 40, its measurement of DeepEP).
TEST(Published, DispatchOnH100) {
  ExchangeCase c = Benchmark(kD, 8);
  c.fp8 = false;
  c.gating.experts = 32;
  ExpectWithin("EP8 H100", Gigabytes(RunAt(FullNvlink(), c, 20)), 328.97, 0.07);
}

// What the constants of a warp come from, and its check on another machine (machine.cc).
TEST(Published, TheLogsBehindTheConstantOfAWarp) {
  ExchangeCase c = Benchmark(kD, 16);
  c.buffers = Buffers{20, 288, 12, 128};
  ExpectWithin("H20 FP8", Gigabytes(RunAt(FullNvlink(), c, 24)), 42.54, 0.01);
  c.buffers = Buffers{20, 288, 8, 128};
  c.fp8 = false;
  ExpectWithin("H20 BF16", Gigabytes(RunAt(FullNvlink(), c, 24)), 44.68, 0.01);
  c = Benchmark(kC, 16);
  c.buffers = Buffers{2, 288, 20, 128};
  ExpectWithin("H200 combine", Gigabytes(RunAt(FullNvlink(), c, 24)), 44.37, 0.03);
}

// Messages of 4 to 32 tokens on four nodes (issue 261). The first gave the cost of a post.
TEST(Published, SizesOfMessages) {
  ExchangeCase c = Benchmark(kD, 32);
  const double published[] = {45.28, 57.60, 57.19, 56.44, 56.04, 55.01, 55.29, 55.60};
  for (int i = 0; i < 8; ++i) {
    const int tokens = 4 * (i + 1);
    c.buffers = Buffers{28, 288, tokens, 128};
    ExpectWithin("messages of " + std::to_string(tokens), Gigabytes(RunAt(FullNvlink(), c, 24)),
                 published[i], 0.07);
  }
}

// The second version, 8192 tokens, no groups: NVLink of 450 GB/s, since its 90 GB/s between two
// nodes mean 297 over NVLink. Its structure differs from V1's channels (machine.h), so 8 %.
TEST(Published, SecondVersion) {
  ExchangeCase c;
  c.tokens = 8192;
  c.generation = Generation::kV2;
  c.gating.groups = c.gating.groups_per_token = 1;
  struct V2 {
    int gpus, sms;
    double dispatch, combine;
  };
  for (const V2& row : {V2{16, 12, 90, 81}, V2{32, 6, 61, 61}}) {
    c.gpus = row.gpus;
    c.direction = kD;
    ExpectWithin("V2 dispatch", Gigabytes(RunAt(FullNvlink(), c, row.sms)), row.dispatch, 0.08);
    c.direction = kC;
    ExpectWithin("V2 combine", Gigabytes(RunAt(FullNvlink(), c, row.sms)), row.combine, 0.08);
  }
}

// "20 SMs": more bring nothing, fewer cost. Found by the model, for both directions.
TEST(Published, TwentySmsSaturateTheNetwork) {
  for (const Direction direction : {kD, kC}) {
    const auto results = RunExchange(H800(), Benchmark(direction, 64), {8, 12, 16, 20, 24, 32, 64});
    const double full = Gigabytes(results.back());
    EXPECT_LT(Gigabytes(results[0]), 0.6 * full);
    EXPECT_LT(Gigabytes(results[1]), 0.8 * full);
    EXPECT_LT(Gigabytes(results[2]), 0.98 * full);
    EXPECT_GT(Gigabytes(results[3]), 0.98 * full);
    EXPECT_EQ(results[3].bound, "network");
  }
}

// Two nodes: NVLink's side is the limit, the NICs idle half of the time (issue 285). Eight: the
// NIC.
TEST(Published, WhatLimitsTwoNodesAndEight) {
  const ExchangeResult two = RunAt(H800(), Benchmark(kD, 16), 64);
  EXPECT_EQ(two.bound, "NVLink");
  EXPECT_LT(two.outcome.network, 0.55);
  const ExchangeResult eight = RunAt(H800(), Benchmark(kD, 64), 64);
  EXPECT_EQ(eight.bound, "network");
  EXPECT_LT(eight.outcome.nvlink, 0.7);
}

// Up to 13 experts, 4 nodes x 3.2, cost what 8 do (arXiv 2412.19437, section 3.2.2); 24 do not.
TEST(Published, ThirteenExpertsCostWhatEightCost) {
  ExchangeCase c = Benchmark(kD, 64);
  const Duration eight = RunAt(H800(), c, 24).time;
  c.gating.top_k = 13;
  EXPECT_LT(RunAt(H800(), c, 24).time / eight, 1.04);
  c.gating.top_k = 24;
  EXPECT_GT(RunAt(H800(), c, 24).time / eight, 1.2);
}

}  // namespace
}  // namespace pipescope::exchange
