// DeepSeek-V3 as published: parameters, FLOPs, shapes, activations.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/model/activations.h"
#include "sim/model/config.h"
#include "sim/model/operations.h"
#include "sim/model/parameters.h"

namespace pipescope::model {
namespace {

ModelConfig V3() { return LoadModel("deepseek_v3").value(); }

constexpr WorkShape kV3Shape = {4096, 4096, 64, true};

// arXiv 2412.19437, section 4.2: 671B parameters, 37B active (the embedding adds 0.9).
TEST(Parameters, OfDeepSeekV3) {
  EXPECT_NEAR(static_cast<double>(TotalParameters(V3())), 671.0e9, 0.05e9);
  EXPECT_NEAR(static_cast<double>(ActiveParameters(V3())), 37.6e9, 0.05e9);
}

TEST(Parameters, BlocksSumToTheModel) {
  const ModelConfig m = V3();
  const Layout layout = ParseLayout("Et*4|(t*4|)*14tmL", m, 16).value();
  int64_t sum = 0;
  for (const StageLayout& stage : layout) {
    for (const Block& block : stage.blocks) {
      if (block.mtp) continue;
      const ParameterCount count = BlockParameters(m, block);
      sum += count.shared + count.expert;
    }
  }
  EXPECT_EQ(sum, TotalParameters(m));
  // config.json's MLA: 7168 x 1536 + 1536 x 24576 + 7168 x 576 + 512 x 32768 + 16384 x 7168, norms.
  EXPECT_EQ(AttentionParameters(m),
            7168 * 1536 + 1536 * 24576 + 7168 * 576 + 512 * 32768 + 16384 * 7168 + 1536 + 512);
}

// arXiv 2505.09343, table 2: 250 GFLOPs a token.
TEST(Flops, OfDeepSeekV3) {
  EXPECT_NEAR(TrainingFlopsPerToken(V3(), 4096, true).value(), 250e9, 2.5e9);
  EXPECT_NEAR(TrainingFlopsPerToken(V3(), 4096, false).value(), 280e9, 8e9);
}

const Kernel& Find(const std::vector<Phase>& phases, const std::string& name) {
  for (const Phase& phase : phases) {
    for (const Kernel& kernel : phase.kernels) {
      if (kernel.name == name) return kernel;
    }
  }
  ADD_FAILURE() << "no kernel " << name;
  static const Kernel none;
  return none;
}

void ExpectShape(const Kernel& kernel, int64_t m, int64_t n, int64_t k, int64_t groups = 1) {
  EXPECT_EQ(kernel.groups, groups) << kernel.name;
  EXPECT_EQ(kernel.m, m) << kernel.name;
  EXPECT_EQ(kernel.n, n) << kernel.name;
  EXPECT_EQ(kernel.k, k) << kernel.name;
  const double flops = 2.0 * static_cast<double>(groups * m) * static_cast<double>(n * k);
  EXPECT_DOUBLE_EQ(kernel.flops.value(), flops) << kernel.name;
}

// The shapes that DeepGEMM's tests name for V3's training; the two down-projections, which it runs
// as one of 2112 columns, are two in DeepSeek's training trace and in Megatron.
TEST(Work, GemmsOfAMoeLayer) {
  const BlockWork work = WorkOf(V3(), kV3Shape, {BlockKind::kMoeLayer, 10});
  ExpectShape(Find(work.forward, "q_a_proj"), 4096, 1536, 7168);
  ExpectShape(Find(work.forward, "kv_a_proj"), 4096, 576, 7168);
  ExpectShape(Find(work.forward, "q_b_proj"), 4096, 24576, 1536);
  ExpectShape(Find(work.forward, "kv_b_proj"), 4096, 32768, 512);
  ExpectShape(Find(work.forward, "o_proj"), 4096, 7168, 16384);
  ExpectShape(Find(work.forward, "shared_gate_up"), 4096, 4096, 7168);
  ExpectShape(Find(work.forward, "shared_down"), 4096, 7168, 2048);
  ExpectShape(Find(work.forward, "expert_gate_up"), 8192, 4096, 7168, 4);
  ExpectShape(Find(work.forward, "expert_down"), 8192, 7168, 2048, 4);
  ExpectShape(Find(work.input_grad, "expert_down"), 8192, 2048, 7168, 4);
  ExpectShape(Find(work.weight_grad, "o_proj_wgrad"), 16384, 7168, 4096);
  EXPECT_EQ(Find(work.forward, "router").precision, Precision::kBf16);
  EXPECT_EQ(Find(work.forward, "o_proj").precision, Precision::kFp8);
}

TEST(Work, PhasesInTheOrderTheyRun) {
  const auto kinds = [](const std::vector<Phase>& phases) {
    std::vector<PhaseKind> list;
    for (const Phase& phase : phases) list.push_back(phase.kind);
    return list;
  };
  using P = PhaseKind;
  const BlockWork moe = WorkOf(V3(), kV3Shape, {BlockKind::kMoeLayer, 10});
  EXPECT_THAT(kinds(moe.forward),
              testing::ElementsAre(P::kAttention, P::kDispatch, P::kMlp, P::kCombine));
  EXPECT_THAT(kinds(moe.input_grad),
              testing::ElementsAre(P::kCombine, P::kMlp, P::kDispatch, P::kAttention));
  EXPECT_THAT(kinds(moe.weight_grad), testing::ElementsAre(P::kMlp, P::kAttention));
  const BlockWork dense = WorkOf(V3(), kV3Shape, {BlockKind::kDenseLayer, 0});
  EXPECT_THAT(kinds(dense.forward), testing::ElementsAre(P::kAttention, P::kMlp));
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

// Both gradients of a linear layer cost what its forward does.
TEST(Work, GradientsCostAsMuchAsTheForward) {
  for (const BlockKind kind : {BlockKind::kDenseLayer, BlockKind::kMoeLayer}) {
    const BlockWork work = WorkOf(V3(), kV3Shape, {kind, 10});
    const double forward = GemmFlops(work.forward, Pass::kForward);
    EXPECT_DOUBLE_EQ(GemmFlops(work.input_grad, Pass::kInputGrad), forward);
    EXPECT_DOUBLE_EQ(GemmFlops(work.weight_grad, Pass::kWeightGrad), forward);
  }
}

TEST(Work, LayersAddUpToTheFlopsOfAToken) {
  const ModelConfig m = V3();
  double sum = 0;
  const auto add = [&](const Block& block) {
    const BlockWork work = WorkOf(m, kV3Shape, block);
    for (const auto* phases : {&work.forward, &work.input_grad, &work.weight_grad}) {
      for (const Phase& phase : *phases) {
        for (const Kernel& kernel : phase.kernels) {
          const bool again = phases != &work.forward && kernel.pass == Pass::kForward;
          if (kernel.kind == KernelKind::kGemm && !again) sum += kernel.flops.value();
        }
      }
    }
  };
  for (int i = 0; i < m.layers(); ++i) {
    add({m.KindOf(i).moe ? BlockKind::kMoeLayer : BlockKind::kDenseLayer, i});
  }
  add({BlockKind::kHead});
  const double attention = 3 * 2.0 * 128 * 320 * 2048 * 61;
  EXPECT_NEAR(sum / 4096 + attention, TrainingFlopsPerToken(m, 4096, true).value(), 1e8);
}

// activations.h: 0.6 GiB a layer of 4096 tokens.
TEST(Activations, OfDeepSeekV3) {
  const Block moe{BlockKind::kMoeLayer, 10};
  const ActivationBytes kept = ActivationsOf(V3(), kV3Shape, moe);
  EXPECT_NEAR(static_cast<double>(kept.until_backward.value()) / (1 << 30), 0.6, 0.05);
  // By hand, per token: input, projections, attention's output, log-sum-exp, second norm's input,
  // dispatched rows, SwiGLU's inputs of 8 routed experts and the shared one, router.
  const double s = 1 + 4.0 / 128;
  const double token = 2 * 7168 + 2 * (1536 + 576) + 1.5 * 16384 + 4 * 128 + 2 * 7168 +
                       8 * 7168 * s + 9 * 2 * 2048 * s + 4 * 256 + 12 * 8;
  EXPECT_NEAR(static_cast<double>(kept.until_backward.value()), token * 4096, 4096);
  WorkShape all = kV3Shape;
  all.recompute = Recompute::kNone;
  EXPECT_GT(ActivationsOf(V3(), all, moe).until_backward, kept.until_backward);
  WorkShape bf16 = kV3Shape;
  bf16.fp8 = false;
  EXPECT_GT(ActivationsOf(V3(), bf16, moe).until_backward, kept.until_backward);
}

TEST(Activations, GrowWithTheTokens) {
  WorkShape twice = kV3Shape;
  twice.tokens *= 2;
  for (const BlockKind kind : {BlockKind::kEmbedding, BlockKind::kDenseLayer, BlockKind::kMoeLayer,
                               BlockKind::kMtpProjection, BlockKind::kHead}) {
    const ActivationBytes one = ActivationsOf(V3(), kV3Shape, {kind});
    const ActivationBytes two = ActivationsOf(V3(), twice, {kind});
    EXPECT_EQ(two.until_backward, one.until_backward * 2);
    EXPECT_EQ(two.until_weight_grad, one.until_weight_grad * 2);
  }
}

}  // namespace
}  // namespace pipescope::model
