// Every number that is explained comes out of its terms as the result has it, on several
// experiments; and what is said of one can be worked out by hand.
#include "cli/explain.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sim/base/units.h"
#include "sim/simulate.h"

namespace pipescope::cli {
namespace {

struct Case {
  const char* file;
  const char* schedule;
  Fidelity fidelity;
  std::vector<std::string> overrides;
};

class Explained : public testing::TestWithParam<Case> {};

TEST_P(Explained, IsTheResultsOwnNumber) {
  const Case& c = GetParam();
  const auto e = LoadExperiment(std::string("experiments/") + c.file, c.overrides);
  ASSERT_TRUE(e) << e.error().ToString();
  const auto r = Simulate(*e, c.schedule, c.fidelity);
  ASSERT_TRUE(r) << r.error().ToString();
  const std::vector<std::string> names = ExplainedNames(*e, *r);
  EXPECT_GT(names.size(), 40u);
  for (const std::string& name : names) {
    const auto x = Explain(*e, *r, name);
    ASSERT_TRUE(x) << name;
    // Durations are whole picoseconds and sizes whole bytes; shares and rates have no unit to
    // round to.
    EXPECT_NEAR(x->value, x->reported, 1e-6 * std::abs(x->reported) + 1e-9) << name;
    EXPECT_FALSE(x->formula.empty()) << name;
    EXPECT_FALSE(x->shown.empty()) << name;
    EXPECT_GT(x->terms.size(), 0u) << name;
    EXPECT_EQ(ExplanationText(*x).find(name + ": "), 0u);
  }
  for (const char* wanted : {"step_time_s", "mfu.causal", "tokens_per_second", "memory.total_peak",
                             "breakdown_s.bubble", "breakdown_s.exposed_communication", "hop"}) {
    EXPECT_NE(std::find(names.begin(), names.end(), wanted), names.end()) << wanted;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Experiments, Explained,
    testing::Values(
        Case{"deepseek_v3_h800.yaml", "dualpipe", Fidelity::kOp, {}},
        Case{"deepseek_v3_h800.yaml", "zb1p", Fidelity::kOp, {"memory.enforce=false"}},
        Case{"deepseek_v3_h800.yaml", "1f1b", Fidelity::kSchedule, {"communication.sms=8"}},
        Case{"deepseek_v3_h800.yaml",
             "dualpipe",
             Fidelity::kOp,
             {"training.precision=bf16", "memory.enforce=false"}}),
    [](const auto& instance) {
      return std::string(instance.param.schedule) + std::to_string(instance.index);
    });

TEST(Explain, ByHand) {
  const auto e = LoadExperiment("experiments/deepseek_v3_h800.yaml");
  ASSERT_TRUE(e);
  const auto r = Simulate(*e, "dualpipe");
  ASSERT_TRUE(r);
  const auto tokens = Explain(*e, *r, "tokens_per_second");
  EXPECT_NEAR(tokens->value * r->step_time.seconds(), 15360.0 * 4096, 1);
  EXPECT_EQ(tokens->terms[0].value, "15360");
  // o_proj: 4096 x 7168 x 16384 in FP8, 32 x 56 tiles in 14 waves over 132 SMs.
  const auto gemm = Explain(*e, *r, "kernel.o_proj.forward");
  ASSERT_TRUE(gemm) << gemm.error().ToString();
  EXPECT_NEAR(gemm->value, 14 * (2.0 * 128 * 128 * 16384 / (1978.9e12 / 132 * 0.742) + 2.35e-6),
              1e-7);
  EXPECT_EQ(Explain(*e, *r, "bubble")->name, "breakdown_s.bubble");
  EXPECT_NE(ExplanationText(*gemm).find("1792 tiles of 128 x 128 over 132 SMs"), std::string::npos);
}

TEST(Explain, ANameThatIsUnknownGetsTheNearest) {
  const auto e = LoadExperiment("experiments/deepseek_v3_h800.yaml");
  ASSERT_TRUE(e);
  const auto r = Simulate(*e, "dualpipe");
  ASSERT_TRUE(r);
  EXPECT_EQ(Explain(*e, *r, "step_tme_s").error().message,
            "--explain step_tme_s: no number of that name; did you mean 'step_time_s'?");
}

}  // namespace
}  // namespace pipescope::cli
