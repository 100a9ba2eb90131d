// Arrays between formats and places, for GPUs: what joins the training operations of a model whose
// tensors stay on a device.
//
//   columns   rows of some columns from one width to another, a row to each of `repeat` heads
//   formats   BF16 to FP32 and back; FP32 to the values that BF16 has
//   floats    gathered and scattered by number, -1 for none
//   sums      of gradients in FP64 on a grid, so that they do not depend on their order:
//             sum += (g + 384) - 384, exact below 512 (transformer/parameter.h)
//
// Bytes: what is read and written once. Example: 0.1F + 0.2F + 0.3F and 0.3F + 0.2F + 0.1F are the
// same sum.
#pragma once

#include "kernels/train/device/block.h"

namespace pipescope::kernels::device {

// Row r of y from row r / repeat of x.
template <class Block, class T>
PIPESCOPE_BOTH void MoveColumnsRow(Block& block, const T* x, T* y, int64_t r, int64_t columns,
                                   int64_t from_stride, int64_t to_stride, int64_t repeat) {
  const T* from = x + r / repeat * from_stride;
  T* to = y + r * to_stride;
  ForColumns<T>(block, columns, [&](int64_t c) { StoreWide(to + c, LoadWide(from + c)); });
}

// Eight values from `at` on.
PIPESCOPE_BOTH void WidenEight(const Bf16* x, float* y, int64_t at) {
  const Wide<Bf16> eight = LoadWide(x + at);
  PIPESCOPE_UNROLL
  for (int half = 0; half < 2; ++half) {
    Wide<float> four;
    PIPESCOPE_UNROLL
    for (int i = 0; i < 4; ++i) four.v[i] = eight.v[4 * half + i];
    StoreWide(y + at + 4 * half, four);
  }
}
PIPESCOPE_BOTH void NarrowEight(const float* x, Bf16* y, int64_t at) {
  StoreWide(y + at, LoadBeside<Bf16>(x + at));
}

PIPESCOPE_BOTH float RoundedToBf16(float x) { return FromBf16(ToBf16(x)); }

PIPESCOPE_BOTH void GatherFloat(const float* x, const int64_t* from, float* y, int64_t i) {
  y[i] = from[i] < 0 ? 0.0F : x[from[i]];
}
PIPESCOPE_BOTH void ScatterFloat(const float* x, const int64_t* to, float* y, int64_t i) {
  if (to[i] >= 0) y[to[i]] = x[i];
}

inline constexpr double kSumGrid = 384, kLargestExactSum = 512;

// Four gradients from `at` on.
PIPESCOPE_BOTH void AddFourToSum(const float* gradient, double* sum, int64_t at) {
  struct alignas(16) Two {
    double v[2];
  };
  const Wide<float> g = LoadWide(gradient + at);
  PIPESCOPE_UNROLL
  for (int half = 0; half < 2; ++half) {
    Two* const place = reinterpret_cast<Two*>(sum + at + 2 * half);
    Two two = *place;
    PIPESCOPE_UNROLL
    for (int i = 0; i < 2; ++i) two.v[i] += (double{g.v[2 * half + i]} + kSumGrid) - kSumGrid;
    *place = two;
  }
}

// The gradient of all copies' sums; `inexact` becomes 1 where it might depend on their order.
PIPESCOPE_BOTH void AddSumsOf(const double* const* sums, int copies, float* gradient,
                              int32_t* inexact, int64_t i) {
  double sum = 0, magnitude = 0;
  for (int c = 0; c < copies; ++c) {
    const double part = sums[c][i];
    sum += part;
    magnitude += part < 0 ? -part : part;
  }
  if (!(magnitude < kLargestExactSum)) *inexact = 1;  // NaN too; whoever writes it writes 1
  gradient[i] = static_cast<float>(sum);
}

}  // namespace pipescope::kernels::device
