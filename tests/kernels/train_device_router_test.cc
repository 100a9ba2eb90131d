// The router's device code, run by threads of the CPU, against the truth.
#include <algorithm>
#include <span>

#include "kernels/train/device/router.h"
#include "kernels/train/router.h"
#include "tests/kernels/train_device_testing.h"

namespace pipescope::kernels {
namespace {

// DeepSeek-V3's router and others: ties by equal logits, negative scores by bias, NaN, one group.
TEST(DeviceRouter, ChoosesAndWeighsAsTheTruthDoes) {
  const RouterConfig configs[] = {{256, 8, 8, 4, 2, Scoring::kSigmoid, true, 2.5},
                                  {24, 3, 4, 2, 3, Scoring::kSoftmax, false, 1},
                                  {16, 4, 1, 1, 1, Scoring::kSoftmax, true, 1},
                                  {12, 6, 6, 3, 1, Scoring::kSigmoid, false, 1}};
  constexpr int64_t kTokens = 6;
  for (const RouterConfig& c : configs) {
    auto z = Draw(static_cast<size_t>(kTokens * c.experts), 31), bias = Draw(c.experts, 32);
    std::fill_n(z.begin(), c.experts, 0.5F);  // a token to which all experts are alike
    const auto d = Draw(static_cast<size_t>(kTokens * c.selected), 33);
    const device::RouterShape shape{static_cast<int>(c.experts),
                                    static_cast<int>(c.selected),
                                    static_cast<int>(c.groups),
                                    static_cast<int>(c.groups_selected),
                                    static_cast<int>(c.group_best),
                                    c.scoring == Scoring::kSigmoid,
                                    c.normalised,
                                    static_cast<float>(c.scale)};
    for (const bool with_bias : {false, true}) {
      const Routes truth =
          Route(z, with_bias ? std::span<const float>(bias) : std::span<float>(), c);
      const auto dz = RouteInputGradient(z, truth.experts, d, c);
      for (const int lanes : kLanes) {
        device::RouterScratch scratch;
        std::vector<int32_t> experts(truth.experts.size(), -1);
        std::vector<float> weights(experts.size(), NAN), got(z.size(), NAN);
        ForRows(lanes, kTokens, [&](ThreadBlock& block, int64_t t) {
          device::RouteToken(block, &z[t * c.experts], with_bias ? bias.data() : nullptr, shape,
                             scratch, &experts[t * c.selected], &weights[t * c.selected]);
          device::RouteInputGradientToken(block, &z[t * c.experts], &truth.experts[t * c.selected],
                                          &d[t * c.selected], shape, scratch, &got[t * c.experts]);
        });
        EXPECT_EQ(experts, truth.experts);
        ExpectNear(weights, truth.weights, 20);
        ExpectNear(got, dz, 40);
      }
    }
  }
}

TEST(DeviceRouter, NanIsBelowEverything) {
  const RouterConfig c{4, 2, 1, 1, 1, Scoring::kSigmoid, true, 1};
  const std::vector<float> z = {NAN, -9, NAN, -8};
  device::RouterScratch scratch;
  std::vector<int32_t> experts(2);
  std::vector<float> weights(2);
  ForRows(4, 1, [&](ThreadBlock& block, int64_t) {
    device::RouteToken(block, z.data(), nullptr, {4, 2}, scratch, experts.data(), weights.data());
  });
  EXPECT_EQ(experts, (std::vector<int32_t>{3, 1}));
  EXPECT_EQ(experts, Route(z, {}, c).experts);
}

}  // namespace
}  // namespace pipescope::kernels
