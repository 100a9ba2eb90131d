// Quantising on the device: a thread holds 16 neighbouring values of a row, eight threads a group
// of 128; see quantize.h.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp8.h>

#include <cstdint>

#include "kernels/cuda/divide.h"
#include "kernels/cuda/quantize.h"

namespace pipescope::kernels::cuda {

inline constexpr int kValues = 16;            // of a thread
inline constexpr int kLanes = 128 / kValues;  // threads that share a tile's scale
inline constexpr float kE4m3Largest = 448;

struct Sixteen {
  float v[kValues];
};

// Streaming: nothing here is read twice.
__device__ inline Sixteen Load(const uint16_t* at) {
  const uint4* from = reinterpret_cast<const uint4*>(at);
  const uint4 half[2] = {__ldcs(from), __ldcs(from + 1)};
  Sixteen x;
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    const uint32_t words[4] = {half[i].x, half[i].y, half[i].z, half[i].w};
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      x.v[8 * i + 2 * j] = __uint_as_float(words[j] << 16);
      x.v[8 * i + 2 * j + 1] = __uint_as_float(words[j] & 0xffff0000U);
    }
  }
  return x;
}

__device__ inline Sixteen Zeros() {
  Sixteen x;
#pragma unroll
  for (float& v : x.v) v = 0;
  return x;
}

__device__ inline float Largest(const Sixteen& x) {
  float amax = 0;
#pragma unroll
  for (const float v : x.v) amax = fmaxf(amax, fabsf(v));
  return amax;
}

template <ScaleKind kind>
__device__ inline float ScaleOf(float amax) {
  const float scale = __fdiv_rn(fmaxf(amax, kLeastAmax), kE4m3Largest);
  if constexpr (kind == ScaleKind::kFloat) return scale;
  // The exponent, one more where there is a fraction: 2^ceil(log2(scale)). Scales are normal.
  const uint32_t bits = __float_as_uint(scale);
  return __uint_as_float((bits & 0x7f800000U) + ((bits & 0x007fffffU) != 0 ? 0x00800000U : 0));
}

// Code i of the result is byte i.
__device__ inline uint4 Encode(const Sixteen& x, float scale) {
  const float reciprocal = __frcp_rn(scale);
  uint32_t words[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    uint32_t pair[2];
#pragma unroll
    for (int j = 0; j < 2; ++j) {
      const float2 two = {Divide(x.v[4 * i + 2 * j], scale, reciprocal),
                          Divide(x.v[4 * i + 2 * j + 1], scale, reciprocal)};
      pair[j] = __nv_cvt_float2_to_fp8x2(two, __NV_SATFINITE, __NV_E4M3);
    }
    words[i] = pair[0] | pair[1] << 16;
  }
  return {words[0], words[1], words[2], words[3]};
}

// The largest of the eight lanes of a tile; all of them must be here.
__device__ inline float LargestOfLanes(float amax) {
#pragma unroll
  for (int step = kLanes / 2; step > 0; step /= 2) {
    amax = fmaxf(amax, __shfl_xor_sync(0xffffffffU, amax, step));
  }
  return amax;
}

}  // namespace pipescope::kernels::cuda
