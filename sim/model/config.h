// A model as its Hugging Face config.json describes it.
//
// Read today: the DeepSeek-V2/V3 architecture (`model_type` deepseek_v2, deepseek_v3): multi-head
// latent attention (MLA), dense first layers, then mixture-of-experts layers with shared experts,
// and V3's multi-token prediction (MTP) modules. Names of the fields are config.json's; a file
// holds more than we use, so unknown names are no error there.
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

struct ModelConfig {
  std::string name;
  int64_t hidden = 0;              // hidden_size
  int64_t dense_intermediate = 0;  // intermediate_size
  int layers = 0;                  // num_hidden_layers
  int mtp_modules = 0;             // num_nextn_predict_layers
  int dense_layers = 0;            // first_k_dense_replace
  int64_t heads = 0;               // num_attention_heads
  int64_t q_lora_rank = 0;         // 0: the query is projected in one step
  int64_t kv_lora_rank = 0;
  int64_t qk_nope_head_dim = 0;
  int64_t qk_rope_head_dim = 0;
  int64_t v_head_dim = 0;
  int64_t expert_intermediate = 0;  // moe_intermediate_size
  int routed_experts = 0;           // n_routed_experts; 0: all layers are dense
  int shared_experts = 0;           // n_shared_experts
  int experts_per_token = 0;        // num_experts_per_tok
  int expert_groups = 1;            // n_group
  int groups_per_token = 1;         // topk_group
  int64_t vocabulary = 0;           // vocab_size
  bool tied_embedding = false;      // tie_word_embeddings

  int64_t qk_head_dim() const { return qk_nope_head_dim + qk_rope_head_dim; }
};

// A path to a config.json, or the name of a model that the binary carries ("deepseek_v3").
Result<ModelConfig> LoadModel(const std::string& path_or_name);

Result<ModelConfig> ParseModel(const Document& document, const std::string& name);

// Names of the models that the binary carries, sorted.
std::vector<std::string> ModelNames();

}  // namespace pipescope::model
