// The model itself: its gradients against finite differences, its parts, and that it learns.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "schedules/registry.h"
#include "tests/kernels/transformer/runs.h"

namespace pipescope::transformer {
namespace {

using testing::HasSubstr;

// All stages on this thread.
struct Whole {
  ModelConfig model;
  Text text{1};
  Stage stage;
  double weight;

  explicit Whole(const ModelConfig& of)
      : model(of), stage(model, text, 0, 1), weight(1 / static_cast<double>(model.tokens)) {}

  double Forward() {
    stage.Begin(0, {0, weight}, {});
    for (size_t part = 0; part < stage.parts(); ++part) stage.Forward(0, part);
    const auto losses = stage.TakeLosses().at(0);
    return weight * (losses.head + model.mtp_weight * losses.mtp);
  }

  void Backward() {
    stage.BeginBackward(0, {});
    for (size_t part = stage.parts(); part-- > 0;) stage.InputGradient(0, part);
    stage.OutputGradient(0);
    for (size_t part = stage.parts(); part-- > 0;) stage.WeightGradient(0, part);
    stage.End(0);
    for (Parameter* p : stage.parameters()) ASSERT_TRUE(p->SetGradient({p->TakeSum()}));
  }

  double LossAt(Parameter& p, std::vector<float> weights, size_t i, float by) {
    weights[i] += by;
    p.set_master(weights);
    return Forward();
  }
};

// Every kind of parameter: attention, norms, router, experts, shared, MTP, embedding, head. The
// forward pass is in FP32, so a difference over 2h is right to about 1e-6 / h. Every expert is
// chosen: a choice that changes is a step of the loss, which no gradient sees.
TEST(Model, GradientsAreTheDifferences) {
  ModelConfig model = FindModel("micro").value();
  model.layers = 2;
  model.routing = {4, 4, 2, 2, 2, kernels::Scoring::kSigmoid, true, 2.5};
  Whole whole(model);
  whole.Forward();
  whole.Backward();
  std::mt19937 engine(7);
  constexpr float kStep = 1.0F / 128;
  double error = 0, size = 0;
  int compared = 0;
  for (Parameter* p : whole.stage.parameters()) {
    const std::vector<float> weights(p->master().begin(), p->master().end());
    double off = 0, of = 0;
    for (int n = 0; n < 6; ++n) {
      const size_t i = engine() % weights.size();
      const double difference =
          (whole.LossAt(*p, weights, i, kStep) - whole.LossAt(*p, weights, i, -kStep)) / 2 / kStep;
      off += std::pow(difference - p->gradient()[i], 2);
      of += std::pow(difference, 2);
      ++compared;
    }
    p->set_master(weights);
    EXPECT_LT(std::sqrt(off), 0.1 * std::sqrt(of) + 2e-4) << p->name();
    error += off;
    size += of;
  }
  EXPECT_GE(compared, 6 * 50);
  EXPECT_LT(std::sqrt(error), 0.01 * std::sqrt(size));
}

// Uniform is ln(27) = 3.30 nats a letter for the head, and 0.3 of it for MTP: 4.28.
TEST(Model, LossFallsWellBelowUniformTheSameWayUnderAllSchedules) {
  ModelConfig model = FindModel("micro").value();
  model.layers = 4;
  const auto losses = [&](const schedules::Schedule& schedule) {
    return Train(model, schedule, 60).losses;
  };
  const auto expected = losses(OneRank(8));
  EXPECT_GT(expected.front(), 4);
  EXPECT_LT(expected.back(), 3.2);
  for (const char* name : {"1f1b", "zb-h1", "dualpipe"}) {
    EXPECT_EQ(losses(schedules::Generate(name, {2, 8}).value()), expected) << name;
  }
}

TEST(Model, NamesAreSuggested) {
  const auto model = FindModel("smal");
  ASSERT_FALSE(model);
  EXPECT_THAT(model.error().ToString(), HasSubstr("small"));
}

TEST(Parameter, SumsDoNotDependOnTheirOrder) {
  std::mt19937 engine(3);
  std::vector<std::vector<float>> gradients(50, std::vector<float>(64));
  for (auto& gradient : gradients) {
    for (float& g : gradient) {
      const double u = static_cast<double>(engine()) / 4294967296.0 - 0.5;
      g = static_cast<float>(u * std::pow(2.0, -static_cast<double>(engine() % 40)));
    }
  }
  const auto sum = [&] {
    Parameter p("p", 8, 8, 0, false);
    for (const auto& gradient : gradients) p.Add(gradient);
    return *p.TakeSum();
  };
  const GradientSum expected = sum();
  for (int n = 0; n < 20; ++n) {
    std::shuffle(gradients.begin(), gradients.end(), engine);
    EXPECT_EQ(sum(), expected);
  }
}

TEST(Parameter, ASumThatIsNoNumberOrTooLargeIsAnError) {
  for (const float bad : {NAN, INFINITY, 600.0F}) {
    Parameter p("w", 1, 2, 0, false);
    p.Add(std::vector<float>{1, bad});
    const Status set = p.SetGradient({p.TakeSum()});
    ASSERT_FALSE(set);
    EXPECT_THAT(set.error().ToString(), HasSubstr("gradient of w"));
  }
}

TEST(Copies, WhoWaitsForAFailedRankFails) {
  Copies copies;
  copies.Register("w");
  copies.Register("w");
  copies.Give("w", 1, std::make_shared<GradientSum>(1));
  copies.Cancel();
  EXPECT_FALSE(copies.Take("w", 1));
}

}  // namespace
}  // namespace pipescope::transformer
