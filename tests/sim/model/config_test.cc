// config.json of every architecture: what is read of it, and what errors say.
#include "sim/model/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pipescope::model {
namespace {

using testing::HasSubstr;

std::string ErrorOf(const std::string& json) {
  auto document = ParseDocument(json, "config.json");
  if (!document) return document.error().ToString();
  auto model = ParseModel(*document, "x");
  return model ? "" : model.error().ToString();
}

std::string Config(const std::string& change) {
  return R"({"model_type": "deepseek_v3", "hidden_size": 64, "intermediate_size": 128,
 "num_hidden_layers": 4, "num_attention_heads": 2, "kv_lora_rank": 8, "qk_nope_head_dim": 8,
 "qk_rope_head_dim": 8, "v_head_dim": 8, "moe_intermediate_size": 16, "n_routed_experts": 8,
 "num_experts_per_tok": 2, "unknown": [1, 2], )" +
         change + R"("vocab_size": 100})";
}

TEST(Config, ReadsWhatItNeedsAndNamesWhatIsWrong) {
  EXPECT_EQ(ErrorOf(Config("")), "");
  EXPECT_THAT(ErrorOf("{}"), HasSubstr("model_type"));
  EXPECT_THAT(ErrorOf(R"({"model_type": "bert"})"), HasSubstr("config.json:1:16: model_type"));
  EXPECT_THAT(ErrorOf(Config(R"("n_group": 3, )")),
              HasSubstr("config.json:4:58: n_group: 3 groups do not divide the 8 routed experts"));
  EXPECT_THAT(ErrorOf(Config(R"("n_group": 8, )")),
              HasSubstr("topk_group: the chosen groups hold fewer experts than a token needs"));
  EXPECT_THAT(ErrorOf(Config(R"("first_k_dense_replace": 5, )")),
              HasSubstr("5 dense layers are more than the 4 layers"));
  EXPECT_THAT(ErrorOf(Config(R"("moe_layer_freq": 0, )")), HasSubstr("moe_layer_freq"));
  EXPECT_THAT(ErrorOf(Config(R"("q_lora_rank": -1, )")), HasSubstr("q_lora_rank"));
  EXPECT_THAT(ErrorOf("{\"model_type\""), HasSubstr("config.json"));
}

TEST(Config, UnknownNamesAreSuggested) {
  EXPECT_EQ(LoadModel("deepseek_v33").error().message,
            "model 'deepseek_v33': neither a file nor a known name; did you mean 'deepseek_v3'?");
  EXPECT_THAT(LoadModel("no/config.json").error().ToString(), HasSubstr("no/config.json"));
  EXPECT_THAT(ModelNames(), testing::Contains("deepseek_v3"));
}

ModelConfig Parse(const std::string& json) {
  auto document = ParseDocument(json, "config.json");
  EXPECT_TRUE(document);
  auto model = ParseModel(*document, "x");
  EXPECT_TRUE(model) << model.error().ToString();
  return model.value_or(ModelConfig{});
}

std::string Llama(const std::string& type, const std::string& change) {
  return R"({"model_type": ")" + type + R"(", "hidden_size": 64, "intermediate_size": 128,
 "num_hidden_layers": 4, "num_attention_heads": 4, )" +
         change + R"("vocab_size": 100})";
}

TEST(Config, WhatLlamasLeaveOut) {
  const ModelConfig m = Parse(Llama("llama", R"("head_dim": null, "rope_scaling": {"a": 1}, )"));
  EXPECT_EQ(m.attention.kv_heads, 4);
  EXPECT_EQ(m.attention.head_dim, 16);
  EXPECT_FALSE(m.tied_embedding);
  EXPECT_FALSE(m.attention.qkv_bias);
  EXPECT_EQ(Parse(Llama("llama", R"("head_dim": 32, )")).attention.head_dim, 32);
  EXPECT_TRUE(Parse(Llama("llama", R"("attention_bias": true, )")).attention.output_bias);
  EXPECT_THAT(ErrorOf(Llama("llama", R"("num_key_value_heads": 3, )")),
              HasSubstr("num_key_value_heads: 3 heads of keys and values do not divide the 4"));
}

std::vector<int64_t> Windows(const ModelConfig& m) {
  std::vector<int64_t> windows;
  for (const LayerKind& kind : m.layer) windows.push_back(kind.window);
  return windows;
}

TEST(Config, Windows) {
  using testing::ElementsAre;
  const std::string window = R"("sliding_window": 8, )";
  EXPECT_THAT(Windows(Parse(Llama("llama", window))), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(Windows(Parse(Llama("mistral", window))), ElementsAre(8, 8, 8, 8));
  EXPECT_THAT(Windows(Parse(Llama("mistral", R"("sliding_window": null, )"))),
              ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(Windows(Parse(Llama("gemma2", window))), ElementsAre(8, 0, 8, 0));
  EXPECT_THAT(Windows(Parse(Llama("qwen2", window))), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(Windows(Parse(Llama(
                  "qwen2", window + R"("use_sliding_window": true, "max_window_layers": 3, )"))),
              ElementsAre(0, 0, 0, 8));
  const std::string types = R"("layer_types": ["full_attention", "sliding_attention",
      "sliding_attention", "full_attention"], )";
  EXPECT_THAT(Windows(Parse(Llama("gemma2", window + types))), ElementsAre(0, 8, 8, 0));
  EXPECT_THAT(ErrorOf(Llama("gemma2", window + R"("layer_types": ["full_attention"], )")),
              HasSubstr("layer_types: 1 types for 4 layers"));
}

TEST(Config, WhichLayersHaveExperts) {
  const std::string experts = R"("num_experts": 8, "num_experts_per_tok": 2,
      "moe_intermediate_size": 16, )";
  const auto moe = [](const std::string& json) {
    std::string text;
    for (const LayerKind& kind : Parse(json).layer) text += kind.moe ? 'm' : 'd';
    return text;
  };
  EXPECT_EQ(moe(Llama("qwen3_moe", experts)), "mmmm");
  EXPECT_EQ(moe(Llama("qwen3_moe", experts + R"("decoder_sparse_step": 2, )")), "dmdm");
  EXPECT_EQ(moe(Llama("qwen3_moe", experts + R"("mlp_only_layers": [0, 3], )")), "dmmd");
  EXPECT_THAT(ErrorOf(Llama("qwen3_moe", experts + R"("mlp_only_layers": [4], )")),
              HasSubstr("mlp_only_layers: '4' is no layer, expected 0 to 3"));
  EXPECT_EQ(moe(Config(R"("first_k_dense_replace": 1, "moe_layer_freq": 2, )")), "ddmd");
}

TEST(Config, Gpt) {
  const ModelConfig m = Parse(R"({"model_type": "gpt2", "n_embd": 64, "n_layer": 2, "n_head": 4,
      "n_positions": 32, "n_inner": null, "vocab_size": 100})");
  EXPECT_EQ(m.dense_intermediate, 256);
  EXPECT_EQ(m.positions, 32);
  EXPECT_TRUE(m.tied_embedding && m.norm_bias && !m.gated);
  EXPECT_THAT(ErrorOf(R"({"model_type": "gpt2", "hidden_size": 64})"), HasSubstr("n_embd"));
}

}  // namespace
}  // namespace pipescope::model
