// Rows of BF16 added up in FP32, in order, from +0, and rounded once.
#pragma once

#include <bit>
#include <cstring>

#include "kernels/exchange/row.h"

namespace pipescope::kernels::exchange {

PIPESCOPE_BOTH float FromBf16(uint32_t code) { return std::bit_cast<float>(code << 16); }

// As kernels/train/bf16.h, which runs on the host alone: a test compares the two.
PIPESCOPE_BOTH uint32_t ToBf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return bits >> 16 | 0x40U;  // NaN stays NaN
  return (bits + 0x7fffU + (bits >> 16 & 1U)) >> 16;
}

// Eight values of BF16: what a lane loads and stores at once.
struct alignas(16) Eight {
  uint32_t pairs[4];
};

// Where a sum goes: values and, if not null, weights.
struct Target {
  std::byte* values = nullptr;
  float* weights = nullptr;
};

// The rank's result for `token`, or where that is negative a slot of a ring.
PIPESCOPE_BOTH Target TargetOf(const Rank& rank, int token, std::byte* slot) {
  const bool weights = rank.with_weights;
  const int64_t bytes = 2 * int64_t{rank.config.hidden};
  if (token < 0) return {slot, weights ? reinterpret_cast<float*>(slot + bytes) : nullptr};
  return {rank.back.sums + token * bytes,
          weights ? rank.back.weight_sums + int64_t{token} * rank.config.selected : nullptr};
}

// Adds up the slots that are not null. `Most` is known to the compiler, so that a lane has the
// loads of all slots in flight at once.
template <int Most, class Fabric>
PIPESCOPE_BOTH void SumRows(const Rank& rank, Fabric& f, const std::byte* const* from, Target to) {
  const int eights = rank.config.hidden / 8;
  for (int i = f.lane(); i < eights; i += Fabric::kLanes) {
    Eight loaded[Most == 0 ? 1 : Most];
    PIPESCOPE_UNROLL
    for (int k = 0; k < Most; ++k) {
      if (from[k] != nullptr) loaded[k] = f.Load(from[k] + int64_t{i} * 16);
    }
    float sum[8] = {};
    PIPESCOPE_UNROLL
    for (int k = 0; k < Most; ++k) {
      if (from[k] == nullptr) continue;
      PIPESCOPE_UNROLL
      for (int v = 0; v < 4; ++v) {
        sum[2 * v] += FromBf16(loaded[k].pairs[v] & 0xffffU);
        sum[2 * v + 1] += FromBf16(loaded[k].pairs[v] >> 16);
      }
    }
    Eight result;
    PIPESCOPE_UNROLL
    for (int v = 0; v < 4; ++v) result.pairs[v] = ToBf16(sum[2 * v]) | ToBf16(sum[2 * v + 1]) << 16;
    f.Store(to.values + int64_t{i} * 16, result);
  }
  if (to.weights == nullptr) return;
  for (int i = f.lane(); i < rank.config.selected; i += Fabric::kLanes) {
    float sum = 0;
    for (int k = 0; k < Most; ++k) {
      if (from[k] == nullptr) continue;
      sum += reinterpret_cast<const float*>(from[k] + 2 * int64_t{rank.config.hidden})[i];
    }
    to.weights[i] = sum;
  }
}

}  // namespace pipescope::kernels::exchange
