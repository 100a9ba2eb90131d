#include "kernels/exchange/data.h"

#include <fmt/format.h>

#include <limits>

namespace pipescope::kernels::exchange {
namespace {

constexpr std::byte kPoison{0xcb};
constexpr float kPoisonFloat = -std::numeric_limits<float>::max();
constexpr int32_t kPoisonInt = std::numeric_limits<int32_t>::min();

size_t Count(int64_t a, int64_t b) { return static_cast<size_t>(a * b); }

}  // namespace

void SetDispatch(const DispatchInput& in, bool with_experts, DispatchOutput& out, Rank* rank) {
  rank->tokens = in.tokens;
  rank->in.values = in.values.data();
  rank->in.scales = in.scales.data();
  rank->with_experts = with_experts;
  rank->in.experts = in.experts.data();
  rank->in.weights = in.weights.data();
  rank->out.values = out.values.data();
  rank->out.scales = out.scales.data();
  rank->out.experts = out.experts.data();
  rank->out.weights = out.weights.data();
  rank->out.sources = out.sources.data();
}

void SetCombine(const CombineInput& in, bool weights, CombineOutput& out, Rank* rank) {
  rank->back.values = in.values.data();
  rank->back.sums = out.values.data();
  rank->with_weights = weights;
  rank->back.weights = in.weights.data();
  rank->back.weight_sums = out.weights.data();
}

DispatchOutput PoisonedDispatch(const Config& g, int rows) {
  DispatchOutput out;
  out.rows = rows;
  out.values.assign(Count(rows, g.value_bytes()), kPoison);
  out.scales.assign(Count(rows, g.scales()), kPoisonFloat);
  out.experts.assign(Count(rows, g.selected), kPoisonInt);
  out.weights.assign(Count(rows, g.selected), kPoisonFloat);
  out.sources.assign(static_cast<size_t>(rows), {kPoisonInt, kPoisonInt});
  return out;
}

CombineOutput PoisonedCombine(const Config& g, int tokens, bool weights) {
  CombineOutput out;
  out.values.assign(Count(tokens, 2 * g.hidden), kPoison);
  if (weights) out.weights.assign(Count(tokens, g.selected), kPoisonFloat);
  return out;
}

Status CheckInput(const Config& g, const DispatchInput& in, size_t rank, bool with_experts) {
  const auto wrong = [&](const char* field, int64_t value, const std::string& expected) {
    return Fail(fmt::format("rank {}: {}: {}: expected {}", rank, field, value, expected));
  };
  if (in.tokens < 0 || in.tokens > g.tokens) {
    return wrong("tokens", in.tokens, fmt::format("0 to {}", g.tokens));
  }
  const auto size = [&](const char* field, size_t has, int64_t of_token) -> Status {
    const size_t needs = Count(in.tokens, of_token);
    if (has == needs) return {};
    return wrong(field, static_cast<int64_t>(has), fmt::format("{} of them", needs));
  };
  if (auto ok = size("bytes of values", in.values.size(), g.value_bytes()); !ok) return ok;
  if (auto ok = size("scales", in.scales.size(), g.scales()); !ok) return ok;
  if (!with_experts) return {};
  if (auto ok = size("experts", in.experts.size(), g.selected); !ok) return ok;
  if (auto ok = size("weights", in.weights.size(), g.selected); !ok) return ok;
  for (int32_t expert : in.experts) {
    if (expert < -1 || expert >= g.experts) {
      return wrong("expert", expert, fmt::format("-1 (none) or 0 to {}", g.experts - 1));
    }
  }
  return {};
}

Status CheckResults(const Config& g, const CombineInput& in, bool weights, int rows, size_t rank) {
  if (in.values.size() != Count(rows, 2 * g.hidden)) {
    return Fail(fmt::format("rank {}: values: expected {} rows of BF16", rank, rows));
  }
  if (in.weights.size() == (weights ? Count(rows, g.selected) : 0)) return {};
  return Fail(
      fmt::format("rank {}: weights: expected {} a row with weights, else none", rank, g.selected));
}

Status CheckInputs(const Config& config, const std::vector<DispatchInput>& inputs,
                   bool with_experts) {
  if (inputs.size() != static_cast<size_t>(config.ranks())) {
    return Fail(fmt::format("inputs of {} ranks: expected {}", inputs.size(), config.ranks()));
  }
  for (size_t r = 0; r < inputs.size(); ++r) {
    if (auto ok = CheckInput(config, inputs[r], r, with_experts); !ok) return ok;
  }
  return {};
}

}  // namespace pipescope::kernels::exchange
