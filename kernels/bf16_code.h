// BF16 codes on the host and on a GPU: the one place that knows how a float is rounded to its upper
// half. What the rounding is: kernels/train/bf16.h.
#pragma once

#include <bit>
#include <cstdint>

#include "kernels/target.h"

namespace pipescope::kernels {

PIPESCOPE_BOTH float FromBf16(uint32_t code) { return std::bit_cast<float>(code << 16); }

PIPESCOPE_BOTH uint32_t ToBf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return bits >> 16 | 0x40U;  // NaN stays NaN
  // Half a spacing less one, and the last bit kept: a tie carries only from an odd fraction. A
  // carry out of the fraction is the next exponent, at the top infinity.
  return (bits + 0x7fffU + (bits >> 16 & 1U)) >> 16;
}

}  // namespace pipescope::kernels
