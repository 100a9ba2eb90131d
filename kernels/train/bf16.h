// BF16: the upper half of a float. One sign bit, eight of exponent, seven of fraction.
//
// Encoding rounds to the nearest value, ties to the even fraction: what __float2bfloat16_rn does.
// The largest is 3.3895e38 (0x7f7f); from half a spacing above it on, values become infinity. NaN
// stays NaN, with its quiet bit set. Subnormals are kept. The relative error of a normal value is
// at most 2^-8 = kBf16Error.
//
// Example: 1 + 2^-8 = 0x3f808000 lies between 0x3f80 and 0x3f81: the even one, so 1.
// Source: Intel, "BFLOAT16 - Hardware Numerics Definition", 2018 (the format; its own units flush
// subnormals).
#pragma once

#include <cstdint>

namespace pipescope::kernels {

inline constexpr double kBf16Error = 1.0 / 256;

uint16_t EncodeBf16(float value);
float DecodeBf16(uint16_t code);

}  // namespace pipescope::kernels
