#include "kernels/fp8/e4m3.h"

#include <array>
#include <cmath>
#include <limits>

namespace pipescope::kernels {
namespace {

constexpr int kFractionBits = 3;
constexpr int kLeastExponent = -6;  // of a normal number; what is below has its spacing
constexpr uint8_t kNan = 0x7f;
constexpr uint8_t kLargest = 0x7e;

std::array<float, 256> MakeTable() {
  std::array<float, 256> table = {};
  for (int code = 0; code < 256; ++code) {
    const int exponent = code >> kFractionBits & 0xf, fraction = code & 0x7;
    const double magnitude = (code & kNan) == kNan ? std::numeric_limits<double>::quiet_NaN()
                             : exponent == 0
                                 ? std::ldexp(fraction, kLeastExponent - kFractionBits)
                                 : std::ldexp(8 + fraction, exponent - 7 - kFractionBits);
    table[static_cast<size_t>(code)] = static_cast<float>(code >= 128 ? -magnitude : magnitude);
  }
  return table;
}

}  // namespace

uint8_t EncodeE4m3(float value) {
  const uint8_t sign = std::signbit(value) ? 0x80 : 0;
  if (std::isnan(value)) return sign | kNan;
  const float magnitude = std::fabs(value);
  if (magnitude >= kE4m3Max) return sign | kLargest;
  if (magnitude == 0) return sign;
  // In units of the spacing around it; nearbyint rounds ties to even.
  const int exponent = std::max(std::ilogb(magnitude), kLeastExponent);
  const int units =
      static_cast<int>(std::nearbyint(std::ldexp(magnitude, kFractionBits - exponent)));
  // Units run on from one exponent to the next: 16 of them are 8 of twice the size.
  const int code = ((exponent - kLeastExponent) << kFractionBits) + units;
  return sign | static_cast<uint8_t>(std::min<int>(code, kLargest));
}

float DecodeE4m3(uint8_t code) {
  static const std::array<float, 256> kTable = MakeTable();
  return kTable[code];
}

}  // namespace pipescope::kernels
