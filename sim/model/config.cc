#include "sim/model/config.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/fields.h"
#include "sim/base/names.h"
#include "sim/model/architectures.h"
#include "sim/model/configs_embedded.h"

namespace pipescope::model {
namespace {

struct Architecture {
  const char* model_type;
  void (*read)(Fields& f, ModelConfig& m);
};

constexpr Architecture kArchitectures[] = {
    {"deepseek_v2", ReadDeepSeek},
    {"deepseek_v3", ReadDeepSeek},
    {"kimi_k2", ReadDeepSeek},
    {"llama", ReadLlama},
    {"mistral", ReadMistral},
    {"mixtral", ReadMixtral},
    {"qwen2", ReadQwen2},
    {"qwen3", ReadQwen3},
    {"qwen3_moe", ReadQwen3Moe},
    {"gemma2", ReadGemma2},
    {"gpt2", ReadGpt2},
};

std::vector<std::string> ModelTypes() {
  std::vector<std::string> types;
  for (const Architecture& architecture : kArchitectures) types.push_back(architecture.model_type);
  return types;
}

}  // namespace

int ModelConfig::moe_layers() const {
  return static_cast<int>(
      std::count_if(layer.begin(), layer.end(), [](const LayerKind& kind) { return kind.moe; }));
}

Result<ModelConfig> ParseModel(const Document& document, const std::string& name) {
  Reader reader(document);
  Fields f = reader.Root();
  ModelConfig m;
  m.name = name;
  m.architecture = f.Choice("model_type", ModelTypes());
  const bool gpt = m.architecture == "gpt2";
  m.hidden = f.Integer(gpt ? "n_embd" : "hidden_size", 1, kMaxWidth / 2);
  m.vocabulary = f.Integer("vocab_size", 1, int64_t{1} << 28);
  m.layer.resize(
      static_cast<size_t>(f.Integer(gpt ? "n_layer" : "num_hidden_layers", 1, kMaxLayers)));
  for (const Architecture& architecture : kArchitectures) {
    if (m.architecture == architecture.model_type) architecture.read(f, m);
  }
  f.IgnoreOthers();
  if (auto ok = reader.Finish(); !ok) return Fail(ok.error());
  return m;
}

void ReadExpertsPerToken(Fields& f, ModelConfig& m) {
  m.experts_per_token =
      static_cast<int>(f.Integer("num_experts_per_tok", 1, std::max(1, m.routed_experts)));
}

std::vector<std::string> ModelNames() {
  std::vector<std::string> names;
  for (const auto& file : configs::Files()) {
    names.emplace_back(file.name.substr(0, file.name.rfind('.')));
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
  if (path_or_name.find('/') == std::string::npos && !path_or_name.ends_with(".json")) {
    return Fail(fmt::format("model '{}': neither a file nor a known name{}", path_or_name,
                            Suggestion(path_or_name, ModelNames())));
  }
  auto document = LoadDocument(path_or_name);
  if (!document) return Fail(document.error());
  std::string name = path_or_name.substr(path_or_name.find_last_of('/') + 1);
  return ParseModel(*document, name.substr(0, name.find('.')));
}

}  // namespace pipescope::model
