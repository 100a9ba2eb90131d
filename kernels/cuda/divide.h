// x / scale, rounded correctly, from the rounded reciprocal: one multiplication and two
// multiply-adds, where a division takes a dozen instructions.
//
//   q = RN(x r), r = RN(1 / scale)      e = RN(q scale - x)      result = RN(q - e r)
//
// The remainder is subtracted in this order so that -0 stays -0. Sizes must not overflow:
// |x / scale| is at most 448 here. Source: Markstein, "Computation of elementary functions on the
// IBM RISC System/6000 processor", IBM J. Res. Dev. 34 (1990), theorem on division.
#pragma once

#include <cmath>

#include "kernels/target.h"

namespace pipescope::kernels::cuda {

PIPESCOPE_BOTH float Divide(float x, float scale, float reciprocal) {
  const float q = x * reciprocal;
  return fmaf(-fmaf(q, scale, -x), reciprocal, q);
}

}  // namespace pipescope::kernels::cuda
