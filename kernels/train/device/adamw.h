// AdamW for GPUs, a lane four weights; the equations are kernels/train/adamw.h's.
//
// Bytes a weight: 4 of gradient, 8 of the master weight, 8 of the two moments, and 2 where the
// weight is written in BF16 as well: 22.
#pragma once

#include "kernels/train/device/block.h"

namespace pipescope::kernels::device {

struct AdamWScalars {
  float rate, beta1, beta2, epsilon, decay;
  float correct1, correct2;  // 1 - beta^step
};

struct Moments {
  float m, v;  // before they are rounded
};

PIPESCOPE_BOTH Moments AdamWWeight(const AdamWScalars& a, float gradient, float& weight, Bf16& m,
                                   Bf16& v) {
  const Moments now = {a.beta1 * Load(m) + (1 - a.beta1) * gradient,
                       a.beta2 * Load(v) + (1 - a.beta2) * gradient * gradient};
  const float step = now.m / a.correct1 / (sqrtf(now.v / a.correct2) + a.epsilon);
  weight -= a.rate * (step + a.decay * weight);
  Store(m, now.m);
  Store(v, now.v);
  return now;
}

// Four weights from `at` on, `at` a multiple of four. `copy` in BF16 may be null.
PIPESCOPE_BOTH void AdamWFour(const AdamWScalars& a, const float* gradient, float* weights, Bf16* m,
                              Bf16* v, Bf16* copy, int64_t at) {
  struct alignas(8) Four {
    Bf16 v[4];
  };
  const Wide<float> g = LoadWide(gradient + at);
  Wide<float> w = LoadWide(weights + at);
  Four first = *reinterpret_cast<const Four*>(m + at);
  Four second = *reinterpret_cast<const Four*>(v + at);
  Four rounded;
  PIPESCOPE_UNROLL
  for (int i = 0; i < 4; ++i) {
    AdamWWeight(a, g.v[i], w.v[i], first.v[i], second.v[i]);
    Store(rounded.v[i], w.v[i]);
  }
  StoreWide(weights + at, w);
  *reinterpret_cast<Four*>(m + at) = first;
  *reinterpret_cast<Four*>(v + at) = second;
  if (copy != nullptr) *reinterpret_cast<Four*>(copy + at) = rounded;
}

}  // namespace pipescope::kernels::device
