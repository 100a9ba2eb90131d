// What BF16 training keeps, by hand.
#include "sim/model/saved_tensors.h"

#include <gtest/gtest.h>

#include "sim/model/activations.h"
#include "sim/model/config.h"

namespace pipescope::model {
namespace {

WorkShape Split(int tensor, Recompute recompute = Recompute::kNone) {
  WorkShape shape{.tokens = 4096, .sequence = 4096};
  shape.recompute = recompute;
  shape.tensor = tensor;
  return shape;
}

Bytes Saved(const ModelConfig& m, const WorkShape& s, const Block& block) {
  return ActivationsOf(m, s, block).until_backward;
}

// A Llama 3 70B layer: input, normed, output of attention, input, normed: 5 x 8192; q, k, v 10240;
// up-projection 57344 and activation 28672; 64 log-sum-exps of 4 bytes.
TEST(SavedTensors, OfALlamaLayer) {
  const ModelConfig llama = LoadModel("llama3_70b").value();
  const Block layer{BlockKind::kDenseLayer, 0};
  const int64_t token = 2 * (5 * 8192 + 10240 + 57344 + 28672) + 4 * 64;
  for (const int t : {1, 2, 8}) {
    EXPECT_EQ(Saved(llama, Split(t), layer), Bytes(4096 * token / t));
  }
  EXPECT_EQ(Saved(llama, Split(1, Recompute::kSelective), layer), Bytes(4096 * (token - 256)));
  EXPECT_EQ(Saved(llama, Split(2, Recompute::kFull), layer), Bytes(4096 * 2 * 8192 / 2));
  // Computed again: both norms' outputs and the activation.
  EXPECT_EQ(Saved(llama, Split(1, Recompute::kDeepseekV3), layer),
            Bytes(4096 * (token - 2 * (2 * 8192 + 28672))));
}

// Before flash attention: 34 h + 5 a s bytes a token (arXiv 2205.05198, section 4.1).
TEST(SavedTensors, OfAGptLayerWhoseAttentionIsNotFused) {
  const ModelConfig gpt = LoadModel("gpt3_175b").value();
  const Block layer{BlockKind::kDenseLayer, 0};
  WorkShape s{.tokens = 2 * 2048, .sequence = 2048};
  s.recompute = Recompute::kNone;
  s.unfused_attention = true;
  const int64_t hidden = 12288, scores = 96 * 2048;
  EXPECT_EQ(Saved(gpt, s, layer), Bytes(4096 * (34 * hidden + 5 * scores)));
  // Computed again, the scores are not kept.
  s.recompute = Recompute::kSelective;
  EXPECT_EQ(Saved(gpt, s, layer), Bytes(4096 * 34 * hidden));
}

// With full recomputation the backward pass has the whole layer in memory once more.
TEST(SavedTensors, WorkingSets) {
  const ModelConfig llama = LoadModel("llama3_70b").value();
  const Block layer{BlockKind::kDenseLayer, 0};
  const Bytes alone = WorkingSet(llama, Split(2), layer);
  EXPECT_EQ(alone, Bytes(2 * 4096 * (8192 / 2 + 8192 + 57344 / 2)));
  EXPECT_EQ(WorkingSet(llama, Split(2, Recompute::kFull), layer),
            alone + Saved(llama, Split(2), layer));
  EXPECT_EQ(WorkingSet(llama, Split(1), {BlockKind::kHead}),
            Bytes(2 * (4096 * int64_t{8192} + int64_t{128256} * 8192)));
}

// 8 rows a token go to experts of width 2048, of which a token's rows are kept as dispatched.
TEST(SavedTensors, OfExperts) {
  const ModelConfig v3 = LoadModel("deepseek_v3").value();
  WorkShape shape = Split(1);
  shape.expert_parallel = 8;
  const int64_t attention =
      2 * (2 * 7168 + (1536 + 576) + (1536 + 512) + 2 * 24576 + 32768 + 16384);
  const int64_t experts = 2 * 8 * (7168 + 3 * 2048) + 2 * 3 * 2048 + 2 * 4 * 256;
  EXPECT_EQ(Saved(v3, shape, {BlockKind::kMoeLayer, 10}),
            Bytes(4096 * (attention + 4 * 128 + 2 * 2 * 7168 + experts)));
}

TEST(SavedTensors, WeightShapesHoldTheParameters) {
  const ModelConfig llama = LoadModel("llama3_70b").value();
  for (const int t : {1, 2, 4, 8}) {
    int64_t sum = 0;
    for (const auto& [rows, columns] : WeightShapes(llama, Split(t), {BlockKind::kDenseLayer, 0})) {
      sum += rows * columns;
    }
    EXPECT_EQ(sum * t, 855'638'016);
  }
}

}  // namespace
}  // namespace pipescope::model
