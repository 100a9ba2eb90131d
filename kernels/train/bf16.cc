#include "kernels/train/bf16.h"

#include "kernels/bf16_code.h"

namespace pipescope::kernels {

uint16_t EncodeBf16(float value) { return static_cast<uint16_t>(ToBf16(value)); }

float DecodeBf16(uint16_t code) { return FromBf16(code); }

}  // namespace pipescope::kernels
