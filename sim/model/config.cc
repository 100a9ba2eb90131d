#include "sim/model/config.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/fields.h"
#include "sim/base/names.h"
#include "sim/model/configs_embedded.h"

namespace pipescope::model {
namespace {

// Products of these stay within 64 bits, bytes of all parameters included.
constexpr int64_t kMaxWidth = 1 << 18;
constexpr int64_t kMaxLayers = 1024;
constexpr int64_t kMaxExperts = 4096;

void ReadAttention(Fields& f, ModelConfig& m) {
  m.heads = f.Integer("num_attention_heads", 1, 1 << 16);
  m.q_lora_rank = f.Integer("q_lora_rank", 0, kMaxWidth, 0);  // V2-Lite: null
  m.kv_lora_rank = f.Integer("kv_lora_rank", 1, kMaxWidth);
  m.qk_nope_head_dim = f.Integer("qk_nope_head_dim", 1, 1 << 16);
  m.qk_rope_head_dim = f.Integer("qk_rope_head_dim", 1, 1 << 16);
  m.v_head_dim = f.Integer("v_head_dim", 1, 1 << 16);
}

void ReadExperts(Fields& f, ModelConfig& m) {
  m.dense_layers = static_cast<int>(f.Integer("first_k_dense_replace", 0, kMaxLayers, 0));
  if (f.Integer("moe_layer_freq", 1, kMaxLayers, 1) != 1) {
    f.Note("moe_layer_freq", "only 1 is modelled: every layer after the dense ones has experts");
  }
  m.routed_experts = static_cast<int>(f.Integer("n_routed_experts", 1, kMaxExperts));
  m.shared_experts = static_cast<int>(f.Integer("n_shared_experts", 0, 1024, 0));
  m.experts_per_token =
      static_cast<int>(f.Integer("num_experts_per_tok", 1, std::max(1, m.routed_experts)));
  m.expert_intermediate = f.Integer("moe_intermediate_size", 1, kMaxWidth);
  m.expert_groups = static_cast<int>(f.Integer("n_group", 1, m.routed_experts, 1));
  m.groups_per_token = static_cast<int>(f.Integer("topk_group", 1, m.expert_groups, 1));
  if (m.routed_experts % m.expert_groups != 0) {
    f.Note("n_group", fmt::format("{} groups do not divide the {} routed experts", m.expert_groups,
                                  m.routed_experts));
  } else if (m.groups_per_token * (m.routed_experts / m.expert_groups) < m.experts_per_token) {
    f.Note("topk_group", "the chosen groups hold fewer experts than a token needs");
  }
}

}  // namespace

Result<ModelConfig> ParseModel(const Document& document, const std::string& name) {
  Reader reader(document);
  Fields f = reader.Root();
  ModelConfig m;
  m.name = name;
  f.Choice("model_type", {"deepseek_v2", "deepseek_v3"});
  m.hidden = f.Integer("hidden_size", 1, kMaxWidth / 2);
  m.dense_intermediate = f.Integer("intermediate_size", 1, kMaxWidth);
  m.layers = static_cast<int>(f.Integer("num_hidden_layers", 1, kMaxLayers));
  m.mtp_modules = static_cast<int>(f.Integer("num_nextn_predict_layers", 0, 1, 0));
  m.vocabulary = f.Integer("vocab_size", 1, int64_t{1} << 28);
  m.tied_embedding = f.Boolean("tie_word_embeddings", false);
  ReadAttention(f, m);
  ReadExperts(f, m);
  if (m.dense_layers > m.layers) {
    f.Note("first_k_dense_replace",
           fmt::format("{} dense layers are more than the {} layers", m.dense_layers, m.layers));
  }
  f.IgnoreOthers();
  if (auto ok = reader.Finish(); !ok) return Fail(ok.error());
  return m;
}

std::vector<std::string> ModelNames() {
  std::vector<std::string> names;
  for (const auto& file : configs::Files()) {
    names.emplace_back(file.name.substr(0, file.name.find('.')));
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<ModelConfig> LoadModel(const std::string& path_or_name) {
  for (const auto& file : configs::Files()) {
    if (file.name != path_or_name + ".json") continue;
    auto document = ParseDocument(std::string(file.text), std::string(file.name));
    if (!document) return Fail(document.error());
    return ParseModel(*document, path_or_name);
  }
  if (path_or_name.find_first_of("./") == std::string::npos) {
    return Fail(fmt::format("model '{}': neither a file nor a known name{}", path_or_name,
                            Suggestion(path_or_name, ModelNames())));
  }
  auto document = LoadDocument(path_or_name);
  if (!document) return Fail(document.error());
  std::string name = path_or_name.substr(path_or_name.find_last_of('/') + 1);
  return ParseModel(*document, name.substr(0, name.find('.')));
}

}  // namespace pipescope::model
