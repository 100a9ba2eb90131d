// The model with linear layers in FP8: the same under every schedule, near to FP32, and it learns.
#include <gtest/gtest.h>

#include <cmath>

#include "schedules/registry.h"
#include "tests/kernels/transformer/runs.h"

namespace pipescope::transformer {
namespace {

ModelConfig Model(bool fp8) {
  ModelConfig model = FindModel("micro").value();
  model.layers = 4;
  model.fp8 = fp8;
  return model;
}

TEST(Fp8, EqualsOneRankUnderSchedulesAndWithExpertsElsewhere) {
  const Outcome expected = Train(Model(true), OneRank(8), 2);
  for (const char* name : {"1f1b", "zb1p", "dualpipe"}) {
    const Outcome got = Train(Model(true), schedules::Generate(name, {2, 8}).value(), 2);
    EXPECT_EQ(got.losses, expected.losses) << name;
    EXPECT_EQ(got.gradients, expected.gradients) << name;
  }
  ModelConfig grouped = Model(true);
  grouped.expert_groups = 2;
  const auto schedule = schedules::Generate("dualpipe", {2, 4}).value();
  const Outcome one = Train(grouped, OneRank(8), 2), two = Train(grouped, schedule, 2, 2, 2);
  EXPECT_EQ(two.losses, one.losses);
  EXPECT_EQ(two.gradients, one.gradients);
}

// All experts are chosen: rounding would decide some close choices otherwise. E4M3 has three bits
// of fraction: an operand is off by some 2.6 % (root mean square), a linear layer's result, of two
// operands, by 3.7 %. Errors of layers behind each other add up as squares: forward and back some
// 30 of them here, 20 %.
TEST(Fp8, LossAndGradientsAreNearFp32) {
  const auto train = [](bool fp8) {
    ModelConfig model = Model(fp8);
    model.routing.selected = model.routing.experts;
    model.routing.groups_selected = model.routing.groups;
    return Train(model, OneRank(4), 1);
  };
  const Outcome exact = train(false), rounded = train(true);
  EXPECT_NE(rounded.losses, exact.losses);
  EXPECT_NEAR(rounded.losses[0], exact.losses[0], 0.01 * exact.losses[0]);
  double off = 0, size = 0;
  for (const auto& [name, gradient] : exact.gradients) {
    for (size_t i = 0; i < gradient.size(); ++i) {
      off += std::pow(rounded.gradients.at(name)[i] - gradient[i], 2);
      size += std::pow(gradient[i], 2);
    }
  }
  EXPECT_LT(std::sqrt(off / size), 0.2);
  EXPECT_GT(std::sqrt(off / size), 0.001);
}

// DeepSeek's own measure: the loss of FP8 training within 0.25 % of BF16's over a run
// (arXiv 2412.19437, section 3.3). A tiny model of 60 steps is noisier: 2 %.
TEST(Fp8, TrainsAsFp32Does) {
  const auto wide = Train(Model(false), OneRank(8), 60).losses;
  const auto narrow = Train(Model(true), OneRank(8), 60).losses;
  EXPECT_LT(narrow.back(), 3.2);
  EXPECT_NEAR(narrow.back(), wide.back(), 0.02 * wide.back());
}

}  // namespace
}  // namespace pipescope::transformer
