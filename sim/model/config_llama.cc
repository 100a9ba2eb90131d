// Llama and those that differ from it in details: grouped-query attention, a gated MLP, RMSNorm.
//
//   mistral    a window on every layer
//   mixtral    experts instead of the MLP
//   qwen2      biases on query, key and value (DeepSeek-R1's distillations into Qwen 2.5)
//   qwen3      norms of each query and key head
//   qwen3_moe  the same with experts, in all layers or every n-th
//   gemma2     a window on every other layer, norms after attention and MLP too, tied embedding
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "sim/model/architectures.h"

namespace pipescope::model {
namespace {

void ReadGroupedAttention(Fields& f, ModelConfig& m) {
  Attention& a = m.attention;
  a.heads = f.Integer("num_attention_heads", 1, kMaxHeads);
  a.kv_heads = f.Integer("num_key_value_heads", 1, kMaxHeads, a.heads);
  if (a.heads % std::max<int64_t>(1, a.kv_heads) != 0) {
    f.Note("num_key_value_heads", fmt::format("{} heads of keys and values do not divide the {} "
                                              "query heads",
                                              a.kv_heads, a.heads));
  }
  a.head_dim = f.Integer("head_dim", 1, 1 << 16, std::max<int64_t>(1, m.hidden / a.heads));
}

void ReadCommon(Fields& f, ModelConfig& m, bool tied) {
  ReadGroupedAttention(f, m);
  m.tied_embedding = f.Boolean("tie_word_embeddings", tied);
  m.dense_intermediate = f.Integer("intermediate_size", 1, kMaxWidth);
}

// Where `layer_types` names each layer, that holds; else every `period`-th sees everything (0:
// none does).
void ReadWindows(Fields& f, ModelConfig& m, int period) {
  const int64_t window = f.Integer("sliding_window", 1, int64_t{1} << 32, 0);
  std::vector<std::string> types;
  if (f.Has("layer_types")) types = f.Strings("layer_types");
  if (!types.empty() && types.size() != m.layer.size()) {
    f.Note("layer_types", fmt::format("{} types for {} layers", types.size(), m.layers()));
    return;
  }
  for (size_t i = 0; i < m.layer.size(); ++i) {
    const bool windowed = types.empty() ? period == 0 || (static_cast<int>(i) + 1) % period != 0
                                        : types[i] == "sliding_attention";
    m.layer[i].window = windowed ? window : 0;
  }
}

void ReadAttentionBias(Fields& f, Attention& a) {
  a.qkv_bias = a.output_bias = f.Boolean("attention_bias", false);
}

}  // namespace

void ReadLlama(Fields& f, ModelConfig& m) {
  ReadCommon(f, m, false);
  ReadAttentionBias(f, m.attention);
  m.mlp_bias = f.Boolean("mlp_bias", false);
}

void ReadMistral(Fields& f, ModelConfig& m) {
  ReadCommon(f, m, false);
  ReadWindows(f, m, 0);
}

void ReadMixtral(Fields& f, ModelConfig& m) {
  ReadMistral(f, m);
  m.expert_intermediate = m.dense_intermediate;
  m.routed_experts = static_cast<int>(f.Integer("num_local_experts", 1, kMaxExperts));
  ReadExpertsPerToken(f, m);
  for (LayerKind& kind : m.layer) kind.moe = true;
}

void ReadQwen2(Fields& f, ModelConfig& m) {
  ReadCommon(f, m, false);
  m.attention.qkv_bias = true;
  // The first max_window_layers see everything, and by default all do.
  if (!f.Boolean("use_sliding_window", false)) return;
  ReadWindows(f, m, 0);
  const int64_t full = f.Integer("max_window_layers", 0, kMaxLayers, 0);
  for (int64_t i = 0; i < std::min<int64_t>(full, m.layers()); ++i) {
    m.layer[static_cast<size_t>(i)].window = 0;
  }
}

void ReadQwen3(Fields& f, ModelConfig& m) {
  ReadCommon(f, m, false);
  ReadAttentionBias(f, m.attention);
  m.attention.qk_norm = true;
}

void ReadQwen3Moe(Fields& f, ModelConfig& m) {
  ReadQwen3(f, m);
  m.routed_experts = static_cast<int>(f.Integer("num_experts", 1, kMaxExperts));
  m.expert_intermediate = f.Integer("moe_intermediate_size", 1, kMaxWidth);
  ReadExpertsPerToken(f, m);
  const int every = static_cast<int>(f.Integer("decoder_sparse_step", 1, kMaxLayers, 1));
  for (int i = 0; i < m.layers(); ++i) {
    m.layer[static_cast<size_t>(i)].moe = (i + 1) % every == 0;
  }
  if (!f.Has("mlp_only_layers")) return;
  for (const std::string& text : f.Strings("mlp_only_layers")) {
    int index = -1;
    std::from_chars(text.data(), text.data() + text.size(), index);
    if (index < 0 || index >= m.layers()) {
      f.Note("mlp_only_layers",
             fmt::format("'{}' is no layer, expected 0 to {}", text, m.layers() - 1));
      return;
    }
    m.layer[static_cast<size_t>(index)].moe = false;
  }
}

void ReadGemma2(Fields& f, ModelConfig& m) {
  ReadCommon(f, m, true);
  ReadAttentionBias(f, m.attention);
  ReadWindows(f, m, 2);
  m.norms = 4;
}

// n_inner: null where it is four times the width.
void ReadGpt2(Fields& f, ModelConfig& m) {
  m.attention.heads = m.attention.kv_heads = f.Integer("n_head", 1, kMaxHeads);
  m.attention.head_dim = std::max<int64_t>(1, m.hidden / m.attention.heads);
  m.attention.qkv_bias = m.attention.output_bias = m.mlp_bias = m.norm_bias = true;
  m.dense_intermediate = f.Integer("n_inner", 1, kMaxWidth * 4, 4 * m.hidden);
  m.gated = false;
  m.positions = f.Integer("n_positions", 1, int64_t{1} << 32);
  m.tied_embedding = f.Boolean("tie_word_embeddings", true);
}

}  // namespace pipescope::model
