// Layers split over GPUs: shapes by hand, the same work in sum, messages by closed form.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "sim/model/config.h"
#include "sim/model/operations.h"
#include "sim/model/parameters.h"

namespace pipescope::model {
namespace {

ModelConfig Llama() { return LoadModel("llama3_70b").value(); }
ModelConfig V3() { return LoadModel("deepseek_v3").value(); }

WorkShape Split(int tensor, int context = 1, int64_t sequence = 4096) {
  WorkShape shape{.tokens = sequence / context, .sequence = sequence};
  shape.recompute = Recompute::kNone;
  shape.tensor = tensor;
  shape.context = context;
  return shape;
}

std::vector<Phase> All(const BlockWork& work) {
  std::vector<Phase> phases = work.forward;
  for (const auto* pass : {&work.input_grad, &work.weight_grad}) {
    phases.insert(phases.end(), pass->begin(), pass->end());
  }
  return phases;
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

std::vector<int64_t> Shape(const Kernel& k) { return {k.m, k.n, k.k}; }

// Llama 3 70B: 64 heads of 128, 8 of keys; columns 10240 = (64 + 8 + 8) 128 and 57344 = 2 x 28672
// are split, and the depths 8192 and 28672 of the row-split layers.
TEST(Tensor, ShapesByHand) {
  for (const int t : {1, 2, 4, 8}) {
    SCOPED_TRACE(t);
    const BlockWork work = WorkOf(Llama(), Split(t), {BlockKind::kDenseLayer, 0});
    using V = std::vector<int64_t>;
    EXPECT_EQ(Shape(Find(work.forward, "qkv_proj")), (V{4096, 10240 / t, 8192}));
    EXPECT_EQ(Shape(Find(work.forward, "o_proj")), (V{4096, 8192, 8192 / t}));
    EXPECT_EQ(Shape(Find(work.forward, "gate_up")), (V{4096, 57344 / t, 8192}));
    EXPECT_EQ(Shape(Find(work.forward, "down")), (V{4096, 8192, 28672 / t}));
    EXPECT_EQ(Shape(Find(work.input_grad, "qkv_proj_dgrad")), (V{4096, 8192, 10240 / t}));
    EXPECT_EQ(Shape(Find(work.weight_grad, "qkv_proj_wgrad")), (V{8192, 10240 / t, 4096}));
    const AttentionShape& a = Find(work.forward, "flash_attention").attention;
    EXPECT_EQ(a.heads, 64 / t);
    EXPECT_EQ(a.key_heads, 8 / t);
    EXPECT_EQ(a.sequence, 4096);
    // Norms read and write 2 bytes of a t-th of the tokens.
    EXPECT_EQ(Find(work.forward, "input_norm").bytes, Bytes(4 * 8192 * 4096 / t));
    const BlockWork head = WorkOf(Llama(), Split(t), {BlockKind::kHead});
    EXPECT_EQ(Shape(Find(head.forward, "head")), (V{4096, 128256 / t, 8192}));
  }
}

double FlopsOf(const ModelConfig& m, const WorkShape& s, const Block& block) {
  double flops = 0;
  for (const Phase& phase : All(WorkOf(m, s, block))) {
    for (const Kernel& kernel : phase.kernels) flops += kernel.flops.value();
  }
  return flops * s.tensor * s.context;
}

TEST(Tensor, GpusDoTheSameWorkInSum) {
  for (const ModelConfig& m : {Llama(), V3()}) {
    for (const Block& block : {Block{BlockKind::kDenseLayer, 0}, Block{BlockKind::kHead},
                               Block{BlockKind::kMoeLayer, 10}, Block{BlockKind::kMtpProjection}}) {
      if (block.kind == BlockKind::kMoeLayer && m.routed_experts == 0) continue;
      const double whole = FlopsOf(m, Split(1), block);
      for (const int t : {2, 4, 8}) {
        EXPECT_NEAR(FlopsOf(m, Split(t), block) / whole, 1, 1e-12) << m.name << " " << t;
        EXPECT_NEAR(FlopsOf(m, Split(t, 2), block) / whole, 1, 1e-12) << m.name << " " << t;
      }
    }
  }
}

std::vector<PhaseKind> Kinds(const std::vector<Phase>& phases) {
  std::vector<PhaseKind> kinds;
  for (const Phase& phase : phases) kinds.push_back(phase.kind);
  return kinds;
}

// The order of arXiv 2205.05198, figure 5, with the input gathered again for its weight gradient.
TEST(Tensor, OrderOfADenseLayer) {
  const BlockWork work = WorkOf(Llama(), Split(2), {BlockKind::kDenseLayer, 0});
  using enum PhaseKind;
  EXPECT_THAT(Kinds(work.forward), testing::ElementsAre(kAttention, kGather, kAttention, kScatter,
                                                        kAttention, kGather, kMlp, kScatter, kMlp));
  EXPECT_THAT(Kinds(work.input_grad),
              testing::ElementsAre(kGather, kGather, kMlp, kScatter, kAttention, kGather,
                                   kAttention, kGather, kAttention, kScatter, kAttention));
  const auto beside = [&](size_t i) { return work.input_grad[i].beside; };
  EXPECT_FALSE(beside(0));  // the output's gradient: everything waits for it
  EXPECT_TRUE(beside(1));
  EXPECT_TRUE(beside(3));
  EXPECT_FALSE(beside(5));
  EXPECT_TRUE(beside(7));
  EXPECT_TRUE(beside(9));
}

Bytes Moved(const BlockWork& work) {
  Bytes sum;
  for (const Phase& phase : All(work)) sum += phase.moved;
  return sum;
}

TEST(Tensor, BytesOfMessages) {
  const int64_t rows = 4096 * 2;
  EXPECT_EQ(Moved(WorkOf(Llama(), Split(1), {BlockKind::kDenseLayer, 0})), Bytes(0));
  for (const int t : {2, 8}) {
    // Four forward, and four backward with two more for the saved inputs; whatever t is.
    EXPECT_EQ(Moved(WorkOf(Llama(), Split(t), {BlockKind::kDenseLayer, 0})),
              Bytes(10 * rows * 8192));
    // Latent attention gathers its short vectors (1536 + 512 + 64), not the hidden state.
    const Bytes attention = Bytes(rows * (2 * (1536 + 512 + 64) + 2 * 7168));
    const Bytes shared = Bytes(5 * rows * 7168);
    EXPECT_EQ(Moved(WorkOf(V3(), Split(t), {BlockKind::kMoeLayer, 10})), attention + shared);
    // Embedding: a scatter and a gather. Head: a gather, again one, a scatter; 12 bytes a token.
    EXPECT_EQ(Moved(WorkOf(Llama(), Split(t), {BlockKind::kEmbedding})), Bytes(2 * rows * 8192));
    EXPECT_EQ(Moved(WorkOf(Llama(), Split(t), {BlockKind::kHead})),
              Bytes(3 * rows * 8192 + 12 * 4096));
  }
}

TEST(Context, HeadsAreExchanged) {
  const BlockWork work = WorkOf(Llama(), Split(2, 4, 32768), {BlockKind::kDenseLayer, 0});
  const AttentionShape& a = Find(work.forward, "flash_attention").attention;
  EXPECT_EQ(a.heads, 8);
  EXPECT_EQ(a.key_heads, 1);
  EXPECT_EQ(a.sequence, 32768);
  Bytes sum;
  for (const Phase& phase : All(work)) {
    if (phase.kind == PhaseKind::kExchange) sum += phase.moved;
  }
  // q, k and v in, the output back, and their gradients the other way: 8192 tokens of BF16.
  EXPECT_EQ(sum, Bytes(2 * 2 * 8192 * (10240 + 8192) / 2));
}

TEST(Context, OrKeysAndValuesGathered) {
  WorkShape shape = Split(1, 8, 32768);
  shape.exchange = ContextExchange::kAllGather;
  const BlockWork work = WorkOf(Llama(), shape, {BlockKind::kDenseLayer, 0});
  EXPECT_EQ(Find(work.forward, "flash_attention").attention.heads, 64);
  Bytes sum;
  for (const Phase& phase : All(work)) sum += phase.moved;
  EXPECT_EQ(sum, Bytes(2 * 2 * 32768 * 2048));
}

// A pass, a kind and a part name a phase: what it costs is looked up by them.
TEST(Tensor, PhasesAreNumbered) {
  for (const Block& block :
       {Block{BlockKind::kDenseLayer, 0}, Block{BlockKind::kHead}, Block{BlockKind::kMoeLayer, 10},
        Block{BlockKind::kMtpProjection}, Block{BlockKind::kEmbedding}}) {
    const BlockWork work = WorkOf(V3(), Split(2), block);
    for (const auto* pass : {&work.forward, &work.input_grad, &work.weight_grad}) {
      std::set<std::pair<PhaseKind, int>> seen;
      for (const Phase& phase : *pass) {
        EXPECT_TRUE(seen.emplace(phase.kind, phase.part).second);
      }
    }
  }
}

TEST(Tensor, PartsAddUpToAllParameters) {
  for (const ModelConfig& m : {Llama(), V3()}) {
    for (const BlockKind kind : {BlockKind::kEmbedding, BlockKind::kDenseLayer, BlockKind::kHead}) {
      const ParameterCount count = BlockParameters(m, {kind, 0});
      EXPECT_EQ((count.shared - count.whole) % 8, 0);
      EXPECT_LT(count.whole, count.shared);
    }
  }
  // A Llama layer: two norms stay whole.
  EXPECT_EQ(BlockParameters(Llama(), {BlockKind::kDenseLayer, 0}).whole, 2 * 8192);
}

}  // namespace
}  // namespace pipescope::model
