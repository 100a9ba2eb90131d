// A thread block as the device code's Block (kernels/train/device/block.h).
//
// Sums go down a tree of shuffles inside a warp and then over the warps' sums, the same tree every
// time: results do not depend on timing.
#pragma once

#include "kernels/train/device/block.h"

namespace pipescope::kernels::cuda {

inline constexpr int kThreads = 256;
inline constexpr int kWarp = 32;

class CudaBlock {
 public:
  __device__ int lane() const { return static_cast<int>(threadIdx.x); }
  __device__ int lanes() const { return kThreads; }

  __device__ void Sync() { __syncthreads(); }

  __device__ float Sum(float x) {
    return Together(x, [](float a, float b) { return a + b; });
  }
  __device__ float Max(float x) {
    return Together(x, [](float a, float b) { return fmaxf(a, b); });
  }

 private:
  template <class Join>
  __device__ float Together(float x, const Join& join) {
    __shared__ float warps[kThreads / kWarp];
    x = InWarp(x, join);
    if (threadIdx.x % kWarp == 0) warps[threadIdx.x / kWarp] = x;
    __syncthreads();
    float all = warps[0];
    PIPESCOPE_UNROLL
    for (int w = 1; w < kThreads / kWarp; ++w) all = join(all, warps[w]);
    __syncthreads();  // before anyone writes again
    return all;
  }

  template <class Join>
  __device__ static float InWarp(float x, const Join& join) {
    PIPESCOPE_UNROLL
    for (int apart = kWarp / 2; apart > 0; apart /= 2) {
      x = join(x, __shfl_xor_sync(0xffffffffU, x, apart));
    }
    return x;
  }
};

}  // namespace pipescope::kernels::cuda
