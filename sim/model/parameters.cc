#include "sim/model/parameters.h"

namespace pipescope::model {
namespace {

int64_t SwigluParameters(int64_t hidden, int64_t intermediate) { return 3 * hidden * intermediate; }

int64_t Norms(const ModelConfig& m) { return 2 * m.hidden; }

ParameterCount MoeLayer(const ModelConfig& m) {
  ParameterCount count;
  count.shared = AttentionParameters(m) + Norms(m) + m.hidden * m.routed_experts +
                 m.routed_experts +
                 SwigluParameters(m.hidden, m.shared_experts * m.expert_intermediate);
  count.expert = m.routed_experts * SwigluParameters(m.hidden, m.expert_intermediate);
  return count;
}

}  // namespace

int64_t AttentionParameters(const ModelConfig& m) {
  const int64_t q_out = m.heads * m.qk_head_dim();
  const int64_t query = m.q_lora_rank > 0
                            ? m.hidden * m.q_lora_rank + m.q_lora_rank + m.q_lora_rank * q_out
                            : m.hidden * q_out;
  const int64_t key_value = m.hidden * (m.kv_lora_rank + m.qk_rope_head_dim) + m.kv_lora_rank +
                            m.kv_lora_rank * m.heads * (m.qk_nope_head_dim + m.v_head_dim);
  return query + key_value + m.heads * m.v_head_dim * m.hidden;
}

ParameterCount BlockParameters(const ModelConfig& m, const Block& block) {
  switch (block.kind) {
    case BlockKind::kEmbedding:
      return {m.vocabulary * m.hidden, 0};
    case BlockKind::kDenseLayer:
      return {AttentionParameters(m) + Norms(m) + SwigluParameters(m.hidden, m.dense_intermediate),
              0};
    case BlockKind::kMoeLayer:
      return MoeLayer(m);
    case BlockKind::kMtpProjection:
      return {2 * m.hidden * m.hidden + 2 * m.hidden, 0};
    case BlockKind::kHead:
      return {m.hidden + (block.mtp ? 0 : m.vocabulary * m.hidden), 0};
  }
  return {};
}

int64_t ActiveLayerParameters(const ModelConfig& m) {
  const int64_t attention = AttentionParameters(m) + Norms(m);
  if (m.routed_experts == 0) return attention + SwigluParameters(m.hidden, m.dense_intermediate);
  return attention + m.hidden * m.routed_experts + m.routed_experts +
         (m.experts_per_token + m.shared_experts) *
             SwigluParameters(m.hidden, m.expert_intermediate);
}

int64_t TotalParameters(const ModelConfig& m) {
  const int64_t edges = (m.tied_embedding ? 1 : 2) * m.vocabulary * m.hidden + m.hidden;
  int64_t sum = edges;
  for (int layer = 0; layer < m.layers; ++layer) {
    const bool dense = layer < m.dense_layers || m.routed_experts == 0;
    const ParameterCount count =
        BlockParameters(m, {dense ? BlockKind::kDenseLayer : BlockKind::kMoeLayer, layer});
    sum += count.shared + count.expert;
  }
  return sum;
}

int64_t ActiveParameters(const ModelConfig& m) {
  const int64_t moe_layers = m.routed_experts == 0 ? 0 : m.layers - m.dense_layers;
  const int64_t idle_experts = m.routed_experts - m.experts_per_token;
  return TotalParameters(m) -
         moe_layers * idle_experts * SwigluParameters(m.hidden, m.expert_intermediate);
}

}  // namespace pipescope::model
