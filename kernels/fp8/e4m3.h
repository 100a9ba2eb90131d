// E4M3: eight bits, of which one is the sign, four the exponent (bias 7) and three the fraction.
//
//   value = (-1)^s 2^(e - 7) (1 + f / 8)   for e > 0        2^-6 f / 8   for e = 0
//   largest 448 (0x7e)    least normal 2^-6    least 2^-9    NaN 0x7f and 0xff    no infinities
//
// Encoding rounds to the nearest value, ties to the even fraction, and saturates: what is above
// 448, infinity included, becomes 448 (cvt.rn.satfinite.e4m3x2.f32 does so too). NaN stays NaN.
//
// Example: 0.3 = 2^-2 (1 + 0.2): f = 1.6 rounds to 2, so 0.3125 = 0x2a.
// Source: Micikevicius et al., "FP8 Formats for Deep Learning", arXiv 2209.05433, table 1.
#pragma once

#include <cstdint>

namespace pipescope::kernels {

inline constexpr float kE4m3Max = 448;

uint8_t EncodeE4m3(float value);
float DecodeE4m3(uint8_t code);

}  // namespace pipescope::kernels
