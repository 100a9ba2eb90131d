// Dispatch and combine among ranks on the CPU against plain loops: random and adversarial routing,
// the smallest rings, every order of the roles that a seed draws.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/exchange/bench.h"
#include "kernels/exchange/check.h"
#include "kernels/exchange/cpu_exchange.h"
#include "kernels/exchange/sum.h"
#include "kernels/train/bf16.h"
#include "tests/kernels/exchange_testing.h"

namespace pipescope::kernels::exchange {
namespace {

TEST(Exchange, EveryShapeInDrawnOrders) {
  uint64_t seed = 1;
  for (int nodes = 1; nodes <= 4; ++nodes) {
    for (int locals : {1, 2, 3, 8}) {
      Config g = Small(nodes, locals);
      g.format = seed % 3 == 0 ? Format::kBf16 : Format::kFp8;
      ExpectAllTrue(g, {.drawn = seed}, seed);
      ++seed;
    }
  }
}

TEST(Exchange, SmallestRingsInManyDrawnOrders) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    Config g = Small(1 + static_cast<int>(seed % 3), 2);
    g.tokens = 9;
    g.sms = seed % 4 < 2 ? 2 : 6;
    g.per_pair = seed % 5 == 0 ? 2 : 1;
    g.dispatch = g.combine = kSmallest;
    g.combine.nvl_recv = 2 * g.nodes;
    ExpectAllTrue(g, {.drawn = seed}, seed);
  }
}

// Rows of many streams end in the middle of a message: a writer that announced them late stood
// still here.
TEST(Exchange, ManyStreamsThroughShortRings) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    Config g = Small(2 + static_cast<int>(seed % 2), 8);
    g.selected = 8;
    g.tokens = 24;
    g.combine = {2, 4 * g.nodes, 3, 6};
    ExpectAllTrue(g, {.drawn = seed}, seed);
  }
}

TEST(Window, HeadersExamples) {
  Config g;
  g.nodes = 2;
  g.locals = 8;
  g.experts = 256;
  g.selected = 8;
  g = WithTunedBuffers(g);
  EXPECT_EQ(g.dispatch_slot(), 7472);
  EXPECT_EQ(Window(g).bytes() >> 20, 586);
  EXPECT_EQ(g.dispatch.nvl_send, 36);
  EXPECT_TRUE(CheckConfig(g));
}

TEST(Exchange, KeepsItsConfiguration) {
  auto config = std::make_unique<Config>(Small(2, 2));
  auto exchange = CpuExchange::Make(*config, {.drawn = 1});
  *config = Config();  // what others do with theirs is theirs
  config.reset();
  ExpectTrue(Small(2, 2), **exchange, Routing::kUniform, false, 1);
}

TEST(Exchange, AlignsCountsByExpert) {
  Config g = Small(2, 2);
  g.alignment = 16;
  ExpectAllTrue(g, {.drawn = 7}, 7);
}

TEST(Exchange, MoreChannelsThanTokens) {
  Config g = Small(2, 2);
  g.sms = 24;
  g.tokens = 5;
  ExpectAllTrue(g, {.drawn = 8}, 8);
}

// The check itself: an exchange that does one thing wrong.
class Wrong : public Exchange {
 public:
  Wrong(Exchange& right, int kind) : right_(right), kind_(kind) {}
  Result<std::vector<DispatchOutput>> Dispatch(const std::vector<DispatchInput>& inputs) override {
    auto outputs = right_.Dispatch(inputs);
    DispatchOutput& out = outputs->back();
    if (kind_ == 0) out.values.back() ^= std::byte{1};
    if (kind_ == 1) out.scales.front() += 1;
    if (kind_ == 2) std::swap(out.sources[0], out.sources[1]);
    if (kind_ == 3) out.expert_rows[0] += 1;
    if (kind_ == 4) out.experts[0] = out.experts[0] == 0 ? -1 : 0;
    if (kind_ == 5) out.weights.back() += 0x1p-20F;
    return outputs;
  }
  Result<std::vector<DispatchOutput>> DispatchAgain(
      const std::vector<DispatchInput>& inputs) override {
    auto outputs = right_.DispatchAgain(inputs);
    if (kind_ == 6) outputs->front().values.front() ^= std::byte{0x80};
    return outputs;
  }
  Result<std::vector<CombineOutput>> Combine(const std::vector<CombineInput>& inputs,
                                             bool weights) override {
    auto outputs = right_.Combine(inputs, weights);
    if (kind_ == 7) outputs->back().values[2] ^= std::byte{1};
    if (kind_ == 8 && weights) outputs->back().weights[0] += 1;
    return outputs;
  }
  Result<std::vector<double>> Seconds(Part part, int runs) override {
    return right_.Seconds(part, runs);
  }

 private:
  Exchange& right_;
  const int kind_;
};

TEST(CheckExchange, SeesEveryWrongPart) {
  const Config g = Small(2, 2);
  auto right = CpuExchange::Make(g, {.drawn = 1});
  ASSERT_TRUE(right);
  for (int kind = 0; kind < 9; ++kind) {
    Wrong wrong(**right, kind);
    const auto result = CheckExchange(wrong, g, Routing::kUniform, false, 5);
    ASSERT_TRUE(result);
    EXPECT_NE(result->failure, "") << kind;
  }
}

// One node of four ranks, two channels; rank 0's tokens 0 and 3 go to rank 2, token 1 to ranks 0
// and 1, token 2 nowhere.
TEST(Exchange, RowsAreInTheOrderOfHomeAndToken) {
  Config g = Small(1, 4);
  g.selected = 2;
  auto exchange = CpuExchange::Make(g, {.drawn = 3});
  auto inputs = DrawInputs(g, Routing::kNothing, false, 1);
  inputs[0].tokens = 4;
  inputs[0].experts = {5, 4, 3, 0, -1, -1, 5, -1};
  inputs[0].values.resize(static_cast<size_t>(4 * g.value_bytes()));
  inputs[0].scales.resize(4);
  inputs[0].weights = {1, 2, 3, 4, 5, 6, 7, 8};
  const auto outputs = (*exchange)->Dispatch(inputs);
  ASSERT_TRUE(outputs);
  const auto& two = (*outputs)[2];
  ASSERT_EQ(two.rows, 2);
  EXPECT_EQ(two.sources[0].token, 0);
  EXPECT_EQ(two.sources[1].token, 3);
  EXPECT_EQ(two.experts, (std::vector<int32_t>{1, 0, 1, -1}));
  EXPECT_EQ(two.weights, (std::vector<float>{1, 2, 7, 0}));
  EXPECT_EQ(two.expert_rows, (std::vector<int32_t>{1, 2}));
  EXPECT_EQ((*outputs)[1].weights, (std::vector<float>{3, 0}));
  EXPECT_EQ((*outputs)[3].rows, 0);
}

TEST(BenchExchange, CountsWhatPassesWhichLink) {
  Config g = Small(2, 2);
  g.selected = 2;
  auto inputs = DrawInputs(g, Routing::kNothing, false, 1);
  inputs[0].experts.assign(inputs[0].experts.size(), -1);
  // Rank 0's token 0 to ranks 0 and 1, token 1 to ranks 2 and 3, token 2 twice to rank 2.
  const std::vector<int32_t> experts = {0, 2, 7, 5, 4, 5};
  std::copy(experts.begin(), experts.end(), inputs[0].experts.begin());
  const Volume volume = VolumeOf(g, inputs);
  EXPECT_EQ(volume.token_nodes, 3);
  EXPECT_EQ(volume.token_far_nodes, 2);
  EXPECT_EQ(volume.rows, 5);
  EXPECT_EQ(volume.near_rows, 2);
}

TEST(BenchExchange, RatesFollowFromTheTime) {
  Config g = Small(2, 2);
  auto exchange = CpuExchange::Make(g, {.drawn = 1});
  const auto result = BenchExchange(**exchange, g, Routing::kUniform, 3, 1);
  ASSERT_TRUE(result) << result.error().ToString();
  const Volume volume = VolumeOf(g, DrawInputs(g, Routing::kUniform, false, 1));
  const double bytes = static_cast<double>(volume.rows * (g.hidden + 4)) / 4;
  const Rates& dispatch = result->dispatch;
  EXPECT_NEAR(dispatch.nvl.value() * dispatch.time.seconds(), bytes, 1);
  EXPECT_NEAR(dispatch.rdma_wire.value() / dispatch.rdma.value(),
              static_cast<double>(volume.token_far_nodes) / static_cast<double>(volume.token_nodes),
              1e-3);
  EXPECT_GT(result->notify, Duration());
  EXPECT_FALSE(BenchExchange(**exchange, g, Routing::kUniform, 0, 1));
  // What was timed still does what it should.
  ExpectTrue(g, **exchange, Routing::kUniform, false, 2);
}

std::string Complaint(const Config& g) {
  const auto made = CpuExchange::Make(g, {});
  return made ? "" : made.error().ToString();
}

TEST(Exchange, SaysWhichSizeIsWrong) {
  const auto with = [](auto change) {
    Config g = Small(2, 2);
    change(g);
    return Complaint(g);
  };
  EXPECT_EQ(with([](Config&) {}), "");
  EXPECT_EQ(with([](Config& g) { g.sms = 3; }), "sms: 3: expected 2 to 256, a multiple of 2");
  EXPECT_EQ(with([](Config& g) { g.locals = 9; }), "locals: 9: expected 1 to 8");
  EXPECT_EQ(with([](Config& g) { g.hidden = 100; }),
            "hidden: 100: expected 128 to 65536, a multiple of 128");
  EXPECT_EQ(with([](Config& g) { g.experts = 6; }),
            "experts: 6: expected 4 to 65536, a multiple of 4");
  EXPECT_EQ(with([](Config& g) { g.combine.nvl_recv = 7; }),
            "combine.nvl: messages of 2 rows and 7 slots, cut into 2 rings: expected messages of 1 "
            "row or more, rings of at least two messages and at most 65536 slots");
  EXPECT_THAT(with([](Config& g) { g.dispatch.rdma_recv = 3; }),
              testing::StartsWith("dispatch.rdma: messages of 2 rows and 3 slots"));
  EXPECT_THAT(with([](Config& g) {
                g.hidden = 1 << 16;
                g.dispatch.nvl_recv = 1 << 16;
                g.sms = 256;
              }),
              testing::HasSubstr("bytes: expected at most"));
}

TEST(Exchange, SaysWhichInputIsWrong) {
  const Config g = Small(2, 2);
  auto exchange = CpuExchange::Make(g, {});
  auto inputs = DrawInputs(g, Routing::kUniform, false, 1);
  EXPECT_EQ((*exchange)->DispatchAgain(inputs).error().message,
            "a dispatch with an old plan: expected a full dispatch before it");
  EXPECT_EQ((*exchange)->Combine({}, false).error().message,
            "a combine: expected a dispatch before it");
  inputs[1].experts[3] = 8;
  EXPECT_EQ((*exchange)->Dispatch(inputs).error().message,
            "rank 1: expert: 8: expected -1 (none) or 0 to 7");
  inputs[1].experts.pop_back();
  EXPECT_EQ((*exchange)->Dispatch(inputs).error().message,
            "rank 1: experts: 159: expected 160 of them");
}

}  // namespace
}  // namespace pipescope::kernels::exchange
