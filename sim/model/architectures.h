// Which architectures of Hugging Face's config.json are read, and by what.
//
// A new one is a function here and a line in config.cc's table.
#pragma once

#include "sim/base/fields.h"
#include "sim/model/config.h"

namespace pipescope::model {

// Products of these stay within 64 bits, bytes of all parameters included.
inline constexpr int64_t kMaxWidth = 1 << 18;
inline constexpr int64_t kMaxLayers = 1024;
inline constexpr int64_t kMaxExperts = 4096;
inline constexpr int64_t kMaxHeads = 1 << 16;

// `m.layer` has num_hidden_layers dense layers without windows when these are called; hidden_size
// and vocab_size are read.
void ReadDeepSeek(Fields& f, ModelConfig& m);  // deepseek_v2, deepseek_v3, kimi_k2
void ReadLlama(Fields& f, ModelConfig& m);     // llama, and what differs from it in details:
void ReadMistral(Fields& f, ModelConfig& m);
void ReadMixtral(Fields& f, ModelConfig& m);
void ReadQwen2(Fields& f, ModelConfig& m);
void ReadQwen3(Fields& f, ModelConfig& m);
void ReadQwen3Moe(Fields& f, ModelConfig& m);
void ReadGemma2(Fields& f, ModelConfig& m);
void ReadGpt2(Fields& f, ModelConfig& m);  // GPT-2 and GPT-3, with its own names of all fields

// num_experts_per_tok and the bound on it that all have in common.
void ReadExpertsPerToken(Fields& f, ModelConfig& m);

}  // namespace pipescope::model
