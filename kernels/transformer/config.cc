#include "kernels/transformer/config.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/names.h"

namespace pipescope::transformer {
namespace {

// The defaults: for tests, whose steps take microseconds.
ModelConfig Micro() {
  ModelConfig m;
  m.name = "micro";
  return m;
}

// Hidden 64: a step of two ranks is some 15 ms, above a machine's noise.
ModelConfig Tiny() {
  ModelConfig m;
  m.name = "tiny";
  m.tokens = 64;
  m.hidden = 64;
  m.heads = 4;
  m.nope = 16, m.rotary = 8, m.v_channels = 16;
  m.q_rank = 48, m.kv_rank = 32;
  m.dense_hidden = 256;
  m.expert_hidden = 64, m.shared_hidden = 64;
  return m;
}

// Hidden 128: a layer's forward pass is about a millisecond of one core.
ModelConfig Small() {
  ModelConfig m;
  m.name = "small";
  m.tokens = 128;
  m.hidden = 128;
  m.heads = 4;
  m.nope = 32, m.rotary = 16, m.v_channels = 32;
  m.q_rank = 96, m.kv_rank = 64;
  m.dense_hidden = 512;
  m.expert_hidden = 128, m.shared_hidden = 128;
  return m;
}

ModelConfig Medium() {
  ModelConfig m = Small();
  m.name = "medium";
  m.tokens = 256;
  m.hidden = 256;
  m.nope = 64, m.rotary = 32, m.v_channels = 64;
  m.q_rank = 192, m.kv_rank = 128;
  m.dense_hidden = 1024;
  m.expert_hidden = 256, m.shared_hidden = 256;
  return m;
}

// Heads as wide as DeepSeek-V3's: what the GPU's attention has kernels for. A layer's forward pass
// is 0.15 TFLOP, about a millisecond of a quarter of an H200.
ModelConfig Large() {
  ModelConfig m;
  m.name = "large";
  m.tokens = 4096;
  m.hidden = 1024;
  m.heads = 8;
  m.nope = 128, m.rotary = 64, m.v_channels = 128;
  m.q_rank = 768, m.kv_rank = 512;
  m.dense_hidden = 4096;
  m.expert_hidden = 512, m.shared_hidden = 512;
  return m;
}

constexpr const char* kDense = "-dense";

}  // namespace

std::vector<std::string> ModelNames() {
  std::vector<std::string> names;
  for (const char* name : {"micro", "tiny", "small", "medium", "large"}) {
    names.emplace_back(name);
    names.push_back(std::string(name) + kDense);
  }
  return names;
}

Result<ModelConfig> FindModel(const std::string& name) {
  const auto names = ModelNames();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    return Fail(fmt::format("'{}' is not a known model{}", name, Suggestion(name, names)));
  }
  ModelConfig model = name.starts_with("micro")   ? Micro()
                      : name.starts_with("tiny")  ? Tiny()
                      : name.starts_with("small") ? Small()
                      : name.starts_with("large") ? Large()
                                                  : Medium();
  if (name.ends_with(kDense)) {
    model.name = name;
    model.dense_layers = model.layers;
  }
  return model;
}

Status CheckModel(const ModelConfig& m) {
  const auto positive = {m.tokens,       m.vocabulary,    m.hidden,       m.heads,   m.nope,
                         m.rotary,       m.v_channels,    m.q_rank,       m.kv_rank, m.layers,
                         m.dense_hidden, m.expert_hidden, m.shared_hidden};
  if (std::any_of(positive.begin(), positive.end(), [](int64_t v) { return v < 1; })) {
    return Fail("model " + m.name + ": expected every size to be at least 1");
  }
  if (m.rotary % 2 != 0) return Fail("model " + m.name + ": rotary: expected an even number");
  if (m.expert_groups < 1 || m.routing.experts % m.expert_groups != 0) {
    return Fail(fmt::format("model {}: {} groups of experts: expected a divisor of its {} experts",
                            m.name, m.expert_groups, m.routing.experts));
  }
  if (m.dense_layers < 0 || m.dense_layers > m.layers) {
    return Fail(fmt::format("model {}: dense_layers: '{}': expected 0 to {}", m.name,
                            m.dense_layers, m.layers));
  }
  return {};
}

}  // namespace pipescope::transformer
