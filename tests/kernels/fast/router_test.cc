// The fast choice against the truth, to the bit, over random configurations, with ties and NaN.
#include "kernels/fast/router.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <random>

namespace pipescope::kernels {
namespace {

using Random = std::mt19937;

int64_t Between(Random& random, int64_t first, int64_t last) {
  return std::uniform_int_distribution<int64_t>(first, last)(random);
}

RouterConfig DrawConfig(Random& random) {
  RouterConfig config;
  config.groups = Between(random, 1, 8);
  const int64_t of_group = Between(random, 1, 12);
  config.experts = config.groups * of_group;
  config.groups_selected = Between(random, 1, config.groups);
  config.group_best = Between(random, 1, of_group);
  config.selected = Between(random, 1, of_group * config.groups_selected);
  config.scoring = Between(random, 0, 1) == 0 ? Scoring::kSigmoid : Scoring::kSoftmax;
  config.normalised = Between(random, 0, 1) == 0;
  config.scale = 2.5;
  return config;
}

// Few different ones where `coarse`, so that many tie; some are NaN or infinite where `wild`.
std::vector<float> DrawValues(Random& random, int64_t count, bool coarse, bool wild) {
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> values;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t kind = wild ? Between(random, 0, 19) : 19;
    float value = normal(random);
    if (coarse) value = std::round(value);
    if (kind == 0) value = std::numeric_limits<float>::quiet_NaN();
    if (kind == 1) value = 1e30F;
    if (kind == 2) value = -1e30F;
    values.push_back(value);
  }
  return values;
}

std::vector<uint32_t> Bits(const std::vector<float>& values) {
  std::vector<uint32_t> bits;
  for (const float value : values) {
    bits.push_back(std::isnan(value) ? 0x7fc00000 : std::bit_cast<uint32_t>(value));
  }
  return bits;
}

TEST(FastRouter, IsTheTruthToTheBit) {
  Random random(1);
  for (int i = 0; i < 400; ++i) {
    const RouterConfig config = DrawConfig(random);
    SCOPED_TRACE(testing::Message() << i << ": " << config.experts << " experts, " << config.groups
                                    << " groups, " << config.selected << " selected");
    const int64_t tokens = Between(random, 0, 9);
    const bool coarse = i % 2 == 1, wild = i % 4 == 3;
    const auto logits = DrawValues(random, tokens * config.experts, coarse, wild);
    const auto bias = DrawValues(random, i % 3 == 0 ? 0 : config.experts, coarse, false);
    const Routes truth = Route(logits, bias, config), got = fast::Route(logits, bias, config);
    ASSERT_EQ(got.experts, truth.experts);
    ASSERT_EQ(Bits(got.weights), Bits(truth.weights));
  }
}

TEST(FastRouter, RefusesWhatTheTruthRefuses) {
  EXPECT_DEATH(fast::Route(std::vector<float>(4), {}, {4, 1, 0, 1, 1}), "broken invariant");
  EXPECT_DEATH(fast::Route(std::vector<float>(4), {}, {4, 3, 2, 1, 2}), "broken invariant");
}

}  // namespace
}  // namespace pipescope::kernels
