// A model as its Hugging Face config.json describes it.
//
// One struct for every architecture that is read (architectures.h lists them): a stack of layers,
// each an attention and an MLP behind norms.
//
//   attention  grouped   heads query heads of head_dim share kv_heads keys and values: multi-head
//                        where kv_heads = heads, multi-query where it is 1 (arXiv 2305.13245)
//              latent    MLA: queries, keys and values are projected up from short vectors (arXiv
//                        2405.04434, section 2.1)
//              a layer may see only a window of the last tokens (Gemma 2: every other one)
//   MLP        dense, or a router and experts, some of them shared; gated (SwiGLU: three matrices)
//              or plain (two)
//
// Names of the fields are those of DeepSeek's config.json. A file holds more than we use, so
// unknown names are no error there.
//
// DeepSeek-V3: 61 layers, the first 3 dense, 256 routed experts of which 8 serve a token, in at
// most 4 of 8 groups (one group a node): 671 billion parameters, 37 billion of them active
// (arXiv 2412.19437, section 4.2).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/document.h"
#include "sim/base/result.h"

namespace pipescope::model {

enum class AttentionKind { kGrouped, kLatent };

struct Attention {
  AttentionKind kind = AttentionKind::kGrouped;
  int64_t heads = 0;
  // kGrouped
  int64_t kv_heads = 0;
  int64_t head_dim = 0;
  bool qkv_bias = false;
  bool output_bias = false;
  bool qk_norm = false;  // of each head, one weight for all heads
  // kLatent
  int64_t q_lora_rank = 0;  // 0: the query is projected in one step
  int64_t kv_lora_rank = 0;
  int64_t qk_nope_head_dim = 0;
  int64_t qk_rope_head_dim = 0;
  int64_t v_head_dim = 0;

  bool latent() const { return kind == AttentionKind::kLatent; }
  // Widths of one head, and heads of keys and values as the attention itself sees them.
  int64_t qk_dim() const { return latent() ? qk_nope_head_dim + qk_rope_head_dim : head_dim; }
  int64_t v_dim() const { return latent() ? v_head_dim : head_dim; }
  int64_t key_heads() const { return latent() ? heads : kv_heads; }
  int64_t q_width() const { return heads * qk_dim(); }
  int64_t k_width() const { return key_heads() * qk_dim(); }
  int64_t v_width() const { return key_heads() * v_dim(); }
  int64_t output_width() const { return heads * v_dim(); }
};

struct LayerKind {
  bool moe = false;
  int64_t window = 0;  // tokens that a token attends to; 0: all before it

  friend bool operator==(const LayerKind&, const LayerKind&) = default;
};

struct ModelConfig {
  std::string name;
  std::string architecture;  // model_type
  int64_t hidden = 0;        // hidden_size
  std::vector<LayerKind> layer;
  int mtp_modules = 0;  // num_nextn_predict_layers
  Attention attention;

  int64_t dense_intermediate = 0;  // intermediate_size
  bool gated = true;               // SwiGLU and its like; else two matrices
  bool mlp_bias = false;

  int64_t expert_intermediate = 0;  // moe_intermediate_size
  int routed_experts = 0;           // n_routed_experts; 0: all layers are dense
  int64_t shared_intermediate = 0;  // width of all shared experts together
  int experts_per_token = 0;        // num_experts_per_tok
  int expert_groups = 1;            // n_group
  int groups_per_token = 1;         // topk_group
  bool router_bias = false;         // one a routed expert, which balances the load (V3)
  bool shared_gate = false;         // a sigmoid gate on the shared expert (Qwen2-MoE)

  int norms = 2;                // a layer: before attention and MLP; Gemma 2 has them after as well
  bool norm_bias = false;       // LayerNorm; else RMSNorm, which has a weight alone
  int64_t vocabulary = 0;       // vocab_size
  int64_t positions = 0;        // learned position embeddings; 0: rotary, which have none
  bool tied_embedding = false;  // tie_word_embeddings

  int layers() const { return static_cast<int>(layer.size()); }
  int moe_layers() const;
  // A layer's kind by its index; -1, an MTP module's, is like the last layer.
  LayerKind KindOf(int index) const {
    return index >= 0 ? layer[static_cast<size_t>(index)] : LayerKind{layer.back().moe, 0};
  }
};

// A path to a config.json, or the name of a model that the binary carries ("deepseek_v3").
Result<ModelConfig> LoadModel(const std::string& path_or_name);

Result<ModelConfig> ParseModel(const Document& document, const std::string& name);

// Names of the models that the binary carries, sorted.
std::vector<std::string> ModelNames();

}  // namespace pipescope::model
