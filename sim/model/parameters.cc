#include "sim/model/parameters.h"

namespace pipescope::model {
namespace {

int64_t MlpParameters(const ModelConfig& m, int64_t intermediate) {
  const int64_t into = m.gated ? 2 * intermediate : intermediate;
  return m.hidden * into + intermediate * m.hidden + (m.mlp_bias ? into + m.hidden : 0);
}

int64_t Norm(const ModelConfig& m) { return m.norm_bias ? 2 * m.hidden : m.hidden; }

int64_t RouterParameters(const ModelConfig& m) {
  return m.hidden * m.routed_experts + (m.router_bias ? m.routed_experts : 0) +
         (m.shared_gate ? m.hidden : 0);
}

// What every token of a MoE layer passes, whichever experts it picks.
int64_t MoeCommon(const ModelConfig& m) {
  const int64_t shared = m.shared_intermediate > 0 ? MlpParameters(m, m.shared_intermediate) : 0;
  return AttentionParameters(m) + m.norms * Norm(m) + RouterParameters(m) + shared;
}

int64_t DenseLayer(const ModelConfig& m) {
  return AttentionParameters(m) + m.norms * Norm(m) + MlpParameters(m, m.dense_intermediate);
}

int64_t Latent(const ModelConfig& m) {
  const Attention& a = m.attention;
  const int64_t query = a.q_lora_rank > 0
                            ? m.hidden * a.q_lora_rank + a.q_lora_rank + a.q_lora_rank * a.q_width()
                            : m.hidden * a.q_width();
  return query + m.hidden * (a.kv_lora_rank + a.qk_rope_head_dim) + a.kv_lora_rank +
         a.kv_lora_rank * a.heads * (a.qk_nope_head_dim + a.v_head_dim);
}

int64_t Grouped(const ModelConfig& m) {
  const Attention& a = m.attention;
  const int64_t width = a.q_width() + a.k_width() + a.v_width();
  return m.hidden * width + (a.qkv_bias ? width : 0) + (a.qk_norm ? 2 * a.head_dim : 0);
}

// What every GPU of a tensor-parallel group has of a layer.
int64_t WholeOfLayer(const ModelConfig& m, bool moe) {
  const Attention& a = m.attention;
  int64_t whole = m.norms * Norm(m) + (a.output_bias ? m.hidden : 0);
  if (a.latent()) {
    const int64_t query = a.q_lora_rank > 0 ? (m.hidden + 1) * a.q_lora_rank : 0;
    whole += query + m.hidden * (a.kv_lora_rank + a.qk_rope_head_dim) + a.kv_lora_rank;
  } else if (a.qk_norm) {
    whole += 2 * a.head_dim;
  }
  const bool mlp = !moe || m.shared_intermediate > 0;
  return whole + (m.mlp_bias && mlp ? m.hidden : 0) + (moe ? RouterParameters(m) : 0);
}

}  // namespace

int64_t AttentionParameters(const ModelConfig& m) {
  return (m.attention.latent() ? Latent(m) : Grouped(m)) + m.attention.output_width() * m.hidden +
         (m.attention.output_bias ? m.hidden : 0);
}

ParameterCount BlockParameters(const ModelConfig& m, const Block& block) {
  switch (block.kind) {
    case BlockKind::kEmbedding:
      return {(m.vocabulary + m.positions) * m.hidden, 0, m.positions * m.hidden};
    case BlockKind::kDenseLayer:
      return {DenseLayer(m), 0, WholeOfLayer(m, false)};
    case BlockKind::kMoeLayer:
      return {MoeCommon(m), m.routed_experts * MlpParameters(m, m.expert_intermediate),
              WholeOfLayer(m, true)};
    case BlockKind::kMtpProjection:
      return {2 * m.hidden * m.hidden + 2 * m.hidden, 0, 2 * m.hidden};
    case BlockKind::kHead:
      return {Norm(m) + (block.mtp ? 0 : m.vocabulary * m.hidden), 0, Norm(m)};
  }
  return {};
}

int64_t ActiveLayerParameters(const ModelConfig& m) {
  if (m.moe_layers() == 0) return DenseLayer(m);
  return MoeCommon(m) + m.experts_per_token * MlpParameters(m, m.expert_intermediate);
}

int64_t TotalParameters(const ModelConfig& m) {
  const ParameterCount moe = BlockParameters(m, {BlockKind::kMoeLayer});
  const int64_t edges =
      ((m.tied_embedding ? 1 : 2) * m.vocabulary + m.positions) * m.hidden + Norm(m);
  return edges + m.moe_layers() * (moe.shared + moe.expert) +
         (m.layers() - m.moe_layers()) * DenseLayer(m);
}

int64_t ActiveParameters(const ModelConfig& m) {
  const int64_t idle_experts = m.routed_experts - m.experts_per_token;
  return TotalParameters(m) -
         m.moe_layers() * idle_experts * MlpParameters(m, m.expert_intermediate);
}

}  // namespace pipescope::model
