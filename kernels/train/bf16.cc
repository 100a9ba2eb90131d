#include "kernels/train/bf16.h"

#include <bit>
#include <cmath>

namespace pipescope::kernels {

uint16_t EncodeBf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  constexpr uint32_t kQuiet = 0x40;
  if (std::isnan(value)) return static_cast<uint16_t>(bits >> 16 | kQuiet);
  // Half a spacing less one, and the last bit kept: a tie carries only from an odd fraction. A
  // carry out of the fraction is the next exponent, at the top infinity.
  const uint32_t odd = bits >> 16 & 1;
  return static_cast<uint16_t>((bits + 0x7fff + odd) >> 16);
}

float DecodeBf16(uint16_t code) { return std::bit_cast<float>(uint32_t{code} << 16); }

}  // namespace pipescope::kernels
