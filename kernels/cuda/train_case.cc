#include "kernels/cuda/train_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace pipescope::kernels::cuda {
namespace {

// Bytes for each token of each column, and for each token.
struct Traffic {
  std::string_view operation;
  int64_t a_value = 0;
  int64_t a_token = 0;
  int64_t at_once = 0;
};

constexpr int64_t kRows = kExpertsOfToken;
constexpr int64_t kAttentionIn = 2 * (2 * kQkChannels + kVChannels);

constexpr std::array<Traffic, 23> kTraffic = {{
    {"rms_norm", 4},
    {"rms_norm_input_grad", 6},
    {"rms_norm_weight_grad", 4},
    {"mtp_join", 8},
    {"mtp_join_input_grad", 12},
    {"mtp_join_weight_grad", 8},
    {"swiglu", 6},
    {"swiglu_input_grad", 10},
    {"rope", 4},
    {"rope_input_grad", 4},
    {"residual", 6},
    {"router", 0, 4 * kExperts + 8 * kExpertsOfToken},
    {"router_input_grad", 0, 8 * kExperts + 8 * kExpertsOfToken},
    {"cross_entropy", 2},
    {"cross_entropy_input_grad", 4},
    {"permute", 2 * (1 + kRows)},
    {"permute_input_grad", 2 * (1 + kRows)},
    {"unpermute", 2 * (1 + kRows)},
    {"unpermute_input_grad", 2 * (1 + 2 * kRows)},
    {"embedding", 4},
    {"embedding_grad", 2},
    {"adamw", 22},
    // q, k, v, out and l; the gradient reads do and writes dq, dk, dv besides.
    {"attention", kAttentionIn + 2 * kVChannels + 4},
}};

const Traffic* Find(const std::string& operation) {
  const auto* found = std::find_if(kTraffic.begin(), kTraffic.end(),
                                   [&](const Traffic& t) { return t.operation == operation; });
  return found == kTraffic.end() ? nullptr : found;
}

bool IsAttentionGradient(const TrainCase& c) { return c.operation == "attention_input_grad"; }

// Of a causal mask, and a window.
double PairsOf(const TrainCase& c) {
  const double tokens = static_cast<double>(c.tokens);
  const double window = static_cast<double>(std::min(c.tokens, c.window));
  return window * (window + 1) / 2 + (tokens - window) * window;
}

}  // namespace

Bytes TrainCase::bytes() const {
  if (IsAttentionGradient(*this)) {
    return Bytes(tokens * columns * (2 * kAttentionIn + 4 * kVChannels + 8));
  }
  const Traffic* traffic = Find(operation);
  PIPESCOPE_CHECK(traffic != nullptr);
  const int64_t table = operation == "embedding_grad" ? 4 * kVocabulary * columns : 0;
  return Bytes(tokens * (columns * traffic->a_value + traffic->a_token) + table);
}

Flops TrainCase::flops() const {
  const double pairs = PairsOf(*this) * static_cast<double>(columns);
  if (operation == "attention") return Flops(2 * pairs * (kQkChannels + kVChannels));
  if (IsAttentionGradient(*this)) return Flops(2 * pairs * (3 * kQkChannels + 2 * kVChannels));
  return Flops(0);
}

Status CheckCase(const TrainCase& c) {
  if (Find(c.operation) == nullptr && !IsAttentionGradient(c)) {
    return Fail(fmt::format("'{}': expected a training operation", c.operation));
  }
  const bool heads = c.operation.starts_with("attention");
  const int64_t multiple = heads ? 1 : c.operation.starts_with("rope") ? kQkChannels : 8;
  constexpr int64_t kMost = int64_t{1} << 24;
  if (c.tokens < 1 || c.tokens > kMost) {
    return Fail(fmt::format("tokens: {}: expected 1 to {}", c.tokens, kMost));
  }
  if (c.columns < 1 || c.columns > kMost || c.columns % multiple != 0) {
    return Fail(fmt::format("columns: {}: expected a multiple of {}", c.columns, multiple));
  }
  if (c.window < 1) return Fail(fmt::format("window: {}: expected 1 or more", c.window));
  return {};
}

}  // namespace pipescope::kernels::cuda
