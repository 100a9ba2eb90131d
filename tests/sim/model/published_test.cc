// The models that the binary carries, against the sizes their authors published.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "sim/model/config.h"
#include "sim/model/operations.h"
#include "sim/model/parameters.h"

namespace pipescope::model {
namespace {

ModelConfig Load(const std::string& name) {
  auto model = LoadModel(name);
  EXPECT_TRUE(model) << model.error().ToString();
  return model.value_or(ModelConfig{});
}

int64_t Embedding(const ModelConfig& m) { return m.vocabulary * m.hidden; }

std::string Billions(int64_t parameters, int digits) {
  return fmt::format("{:.{}f}", static_cast<double>(parameters) / 1e9, digits);
}

struct Published {
  const char* model;
  const char* total;   // billions, as printed
  const char* active;  // likewise; "" where the model is dense
  int digits = 1;
  // What the authors leave out of the active ones: the looked-up embedding.
  bool active_without_embedding = false;
};

// Papers and model cards: Llama 2 (arXiv 2307.09288) and 3 (2407.21783), Mixtral (2401.04088 and
// its successor's announcement), Qwen 2.5 and 3 (2412.15115, 2505.09388), DeepSeek-V2, V2-Lite
// (2405.04434) and V3 (2412.19437), GPT-3 (2005.14165, table D.1).
constexpr Published kPublished[] = {
    {"llama2_7b", "6.7", ""},
    {"llama2_13b", "13.0", ""},
    {"llama2_70b", "69.0", ""},
    {"llama3_8b", "8.03", "", 2},
    {"llama3_70b", "70.6", ""},
    {"llama3_1_405b", "406", "", 0},
    {"deepseek_r1_distill_qwen_1_5b", "1.78", "", 2},
    {"deepseek_r1_distill_qwen_7b", "7.62", "", 2},
    {"deepseek_r1_distill_qwen_14b", "14.8", ""},
    {"deepseek_r1_distill_qwen_32b", "32.8", ""},
    {"qwen2_5_72b", "72.7", ""},
    {"qwen3_0_6b", "0.6", ""},
    {"qwen3_8b", "8.2", ""},
    {"qwen3_14b", "14.8", ""},
    {"qwen3_32b", "32.8", ""},
    {"qwen3_30b_a3b", "30.5", "3.3"},
    {"qwen3_235b_a22b", "235.1", "22"},
    {"mixtral_8x7b", "46.7", "12.9"},
    {"mixtral_8x22b", "140.6", "39.2"},
    {"deepseek_v2", "235.7", "21"},
    {"deepseek_v2_lite", "15.7", "2.4", 1, true},
    {"deepseek_v3", "671.0", "37", 1, true},
    {"gpt3_175b", "174.6", ""},
};

TEST(Published, Parameters) {
  for (const Published& p : kPublished) {
    SCOPED_TRACE(p.model);
    const ModelConfig m = Load(p.model);
    EXPECT_EQ(Billions(TotalParameters(m), p.digits), p.total);
    const std::string active = p.active;
    if (active.empty()) {
      EXPECT_EQ(ActiveParameters(m), TotalParameters(m));
      continue;
    }
    // Rounded or cut off: within 0.6 of the last digit that is printed.
    const size_t point = active.find('.');
    const int digits = point == std::string::npos ? 0 : static_cast<int>(active.size() - point) - 1;
    const int64_t used = ActiveParameters(m) - (p.active_without_embedding ? Embedding(m) : 0);
    EXPECT_NEAR(static_cast<double>(used) / 1e9, std::stod(active), 0.6 * std::pow(10, -digits));
  }
}

// Gemma 2's report (arXiv 2408.00118, table 2) counts what is not embedding to the last digit.
TEST(Published, Gemma2WithoutItsEmbedding) {
  const std::pair<const char*, int64_t> rows[] = {
      {"gemma2_2b", 2'024'517'888}, {"gemma2_9b", 8'324'201'984}, {"gemma2_27b", 26'047'480'320}};
  for (const auto& [name, parameters] : rows) {
    const ModelConfig m = Load(name);
    EXPECT_TRUE(m.tied_embedding);
    EXPECT_EQ(TotalParameters(m) - Embedding(m), parameters) << name;
  }
}

// "1T parameters, 32B active" (arXiv 2507.20534).
TEST(Published, KimiK2) {
  const ModelConfig m = Load("kimi_k2");
  EXPECT_EQ(Billions(TotalParameters(m), 0), "1026");
  EXPECT_EQ(Billions(ActiveParameters(m) - Embedding(m), 0), "32");
}

// arXiv 2505.09343, table 2, causal, 4096 tokens.
TEST(Published, TrainingFlops) {
  EXPECT_NEAR(TrainingFlopsPerToken(Load("deepseek_v3"), 4096, true).value(), 250e9, 1e9);
  EXPECT_NEAR(TrainingFlopsPerToken(Load("deepseek_v2"), 4096, true).value(), 155e9, 1e9);
}

TEST(Windows, EveryOtherLayerOfGemma2) {
  const ModelConfig m = Load("gemma2_9b");
  for (int i = 0; i < m.layers(); ++i) EXPECT_EQ(m.KindOf(i).window, i % 2 == 0 ? 4096 : 0) << i;
  // Within the window there is no difference; at twice its length, half of the layers see
  // w - w^2 / (2 s) = 3/4 w keys where the others see w.
  const auto attention = [&](int64_t s) {
    const ModelConfig& model = m;
    const double linear = 6.0 * static_cast<double>(TotalParameters(model));
    return TrainingFlopsPerToken(model, s, true).value() - linear;
  };
  const double per_key = 3 * 2.0 * 16 * 512 * 42;
  EXPECT_NEAR(attention(4096), per_key * 2048, 1);
  EXPECT_NEAR(attention(8192), per_key * 4096 * (0.5 + 0.5 * 0.75), 1);
}

// The mean over a window, by counting.
TEST(Windows, MeanKeys) {
  for (const int64_t window : {int64_t{1}, int64_t{100}, int64_t{1000}, int64_t{4096}}) {
    double keys = 0;
    for (int64_t i = 0; i < 2048; ++i) {
      keys += static_cast<double>(std::min(i, window - 1)) + 0.5;  // a diagonal of half squares
    }
    EXPECT_NEAR(MeanKeys(2048, window), keys / 2048, 0.5) << window;
  }
}

double GemmFlops(const std::vector<Phase>& phases, Pass pass) {
  double sum = 0;
  for (const Phase& phase : phases) {
    for (const Kernel& kernel : phase.kernels) {
      if (kernel.kind == KernelKind::kGemm && kernel.pass == pass) sum += kernel.flops.value();
    }
  }
  return sum;
}

// What is computed follows from the parameters: 2 FLOPs a matrix entry and token, in each of the
// forward, the input gradient and the weight gradient.
TEST(Work, OfEveryModelFollowsItsParameters) {
  for (const std::string& name : ModelNames()) {
    SCOPED_TRACE(name);
    const ModelConfig m = Load(name);
    const WorkShape shape{.tokens = 4096, .sequence = 4096, .recompute = Recompute::kNone};
    for (int i = 0; i < m.layers(); ++i) {
      const bool first = i == 0 || !(m.KindOf(i) == m.KindOf(i - 1));
      if (!first) continue;
      const Block block{BlockOf(m.KindOf(i)), i};
      const BlockWork work = WorkOf(m, shape, block);
      const double forward = GemmFlops(work.forward, Pass::kForward);
      EXPECT_DOUBLE_EQ(GemmFlops(work.input_grad, Pass::kInputGrad), forward);
      EXPECT_DOUBLE_EQ(GemmFlops(work.weight_grad, Pass::kWeightGrad), forward);
      const ParameterCount count = BlockParameters(m, block);
      const double active =
          static_cast<double>(count.shared) +
          static_cast<double>(count.expert) *
              (m.KindOf(i).moe ? static_cast<double>(m.experts_per_token) / m.routed_experts : 0);
      // Norms and biases are no matrices.
      EXPECT_NEAR(forward / (2 * 4096), active, 2e-4 * active);
    }
  }
}

TEST(Published, EveryModelHasItsOwnName) {
  std::set<std::string> names;
  for (const std::string& name : ModelNames()) EXPECT_TRUE(names.insert(name).second);
  EXPECT_GE(names.size(), 25u);
}

}  // namespace
}  // namespace pipescope::model
