// DeepSeek-V2, V3, R1 and Kimi-K2: MLA, dense first layers, then experts in groups.
#include <fmt/format.h>

#include "sim/model/architectures.h"

namespace pipescope::model {
namespace {

void ReadLatentAttention(Fields& f, Attention& a) {
  a.kind = AttentionKind::kLatent;
  a.heads = f.Integer("num_attention_heads", 1, kMaxHeads);
  a.q_lora_rank = f.Integer("q_lora_rank", 0, kMaxWidth, 0);  // V2-Lite: null
  a.kv_lora_rank = f.Integer("kv_lora_rank", 1, kMaxWidth);
  a.qk_nope_head_dim = f.Integer("qk_nope_head_dim", 1, 1 << 16);
  a.qk_rope_head_dim = f.Integer("qk_rope_head_dim", 1, 1 << 16);
  a.v_head_dim = f.Integer("v_head_dim", 1, 1 << 16);
}

void ReadLayers(Fields& f, ModelConfig& m) {
  const int64_t dense = f.Integer("first_k_dense_replace", 0, kMaxLayers, 0);
  const int64_t every = f.Integer("moe_layer_freq", 1, kMaxLayers, 1);
  if (dense > m.layers()) {
    f.Note("first_k_dense_replace",
           fmt::format("{} dense layers are more than the {} layers", dense, m.layers()));
  }
  for (int64_t i = dense; i < m.layers(); ++i) {
    m.layer[static_cast<size_t>(i)].moe = i % every == 0;
  }
}

void ReadGroups(Fields& f, ModelConfig& m) {
  m.expert_groups = static_cast<int>(f.Integer("n_group", 1, m.routed_experts, 1));
  m.groups_per_token = static_cast<int>(f.Integer("topk_group", 1, m.expert_groups, 1));
  // V2-Lite names one group without limit ("greedy"); V2 and V3 limit the groups of a token.
  if (m.routed_experts % m.expert_groups != 0) {
    f.Note("n_group", fmt::format("{} groups do not divide the {} routed experts", m.expert_groups,
                                  m.routed_experts));
  } else if (m.groups_per_token * (m.routed_experts / m.expert_groups) < m.experts_per_token) {
    f.Note("topk_group", "the chosen groups hold fewer experts than a token needs");
  }
}

}  // namespace

void ReadDeepSeek(Fields& f, ModelConfig& m) {
  ReadLatentAttention(f, m.attention);
  m.mtp_modules = static_cast<int>(f.Integer("num_nextn_predict_layers", 0, 1, 0));
  m.tied_embedding = f.Boolean("tie_word_embeddings", false);
  m.dense_intermediate = f.Integer("intermediate_size", 1, kMaxWidth);
  m.routed_experts = static_cast<int>(f.Integer("n_routed_experts", 1, kMaxExperts));
  m.expert_intermediate = f.Integer("moe_intermediate_size", 1, kMaxWidth);
  m.shared_intermediate = f.Integer("n_shared_experts", 0, 1024, 0) * m.expert_intermediate;
  m.router_bias = f.String("topk_method", "") == "noaux_tc";
  ReadExpertsPerToken(f, m);
  ReadLayers(f, m);
  ReadGroups(f, m);
}

}  // namespace pipescope::model
