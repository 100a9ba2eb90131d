// RMSNorm and its gradients for GPUs; the equations are kernels/train/rms_norm.h's.
//
// Forward and input gradient: a block a row; bytes moved per row of BF16: 4 and 6 a column. Weight
// gradient: a lane takes 16 bytes of columns of a slice of the rows, with r of each row as the
// input gradient left it, and writes their sums to the slice's row of `partial`; a second kernel
// adds the partials up in order, so that the result does not depend on which block was first.
#pragma once

#include "kernels/train/device/block.h"

namespace pipescope::kernels::device {

// r of a row: 1 / sqrt(mean of squares + epsilon).
template <class Block, class T>
PIPESCOPE_BOTH float InverseRms(Block& block, const T* x, int64_t columns, float epsilon) {
  float squares = 0;
  ForColumns<T>(block, columns, [&](int64_t c) {
    const Wide<T> wide = LoadWide(x + c);
    PIPESCOPE_UNROLL
    for (int i = 0; i < kWide<T>; ++i) squares += wide.v[i] * wide.v[i];
  });
  return 1.0F / sqrtf(block.Sum(squares) / static_cast<float>(columns) + epsilon);
}

template <class Block, class T>
PIPESCOPE_BOTH void RmsNormRow(Block& block, const T* x, const float* weight, T* y, int64_t columns,
                               float epsilon) {
  const float r = InverseRms(block, x, columns, epsilon);
  ForColumns<T>(block, columns, [&](int64_t c) {
    Wide<T> wide = LoadWide(x + c);
    const Wide<T> w = LoadBeside<T>(weight + c);
    PIPESCOPE_UNROLL
    for (int i = 0; i < kWide<T>; ++i) wide.v[i] *= r * w.v[i];
    StoreWide(y + c, wide);
  });
}

// `inverse`, where not null, gets r.
template <class Block, class T>
PIPESCOPE_BOTH void RmsNormInputGradientRow(Block& block, const T* x, const float* weight,
                                            const T* dy, T* dx, float* inverse, int64_t columns,
                                            float epsilon) {
  const float r = InverseRms(block, x, columns, epsilon);
  if (inverse != nullptr && block.lane() == 0) *inverse = r;
  float along = 0;  // of w dy on x
  ForColumns<T>(block, columns, [&](int64_t c) {
    const Wide<T> a = LoadWide(x + c), g = LoadWide(dy + c);
    const Wide<T> w = LoadBeside<T>(weight + c);
    PIPESCOPE_UNROLL
    for (int i = 0; i < kWide<T>; ++i) along += w.v[i] * g.v[i] * a.v[i];
  });
  const float mean = block.Sum(along) / static_cast<float>(columns);
  ForColumns<T>(block, columns, [&](int64_t c) {
    const Wide<T> a = LoadWide(x + c);
    Wide<T> g = LoadWide(dy + c);
    const Wide<T> w = LoadBeside<T>(weight + c);
    PIPESCOPE_UNROLL
    for (int i = 0; i < kWide<T>; ++i) g.v[i] = r * (w.v[i] * g.v[i] - a.v[i] * r * r * mean);
    StoreWide(dx + c, g);
  });
}

// Columns c to c + kWide<T> of rows `first` to `last`, into the slice's row of partials. Rows of dy
// are `dy_stride` apart: columns, or more where dy is a part of a wider gradient.
template <class T>
PIPESCOPE_BOTH void RmsNormWeightGradientSlice(const T* x, const T* dy, int64_t dy_stride,
                                               const float* inverse, float* partial, int64_t first,
                                               int64_t last, int64_t columns, int64_t c) {
  Wide<T> sum = {};
  for (int64_t row = first; row < last; ++row) {
    const Wide<T> a = LoadWide(x + row * columns + c), g = LoadWide(dy + row * dy_stride + c);
    const float r = inverse[row];
    PIPESCOPE_UNROLL
    for (int i = 0; i < kWide<T>; ++i) sum.v[i] += g.v[i] * a.v[i] * r;
  }
  PIPESCOPE_UNROLL
  for (int i = 0; i < kWide<T>; ++i) partial[c + i] = sum.v[i];
}

// One column of the partials, in order; a thread each.
PIPESCOPE_BOTH float SumPartials(const float* partial, int64_t parts, int64_t columns, int64_t c) {
  float sum = 0;
  for (int64_t p = 0; p < parts; ++p) sum += partial[p * columns + c];
  return sum;
}

}  // namespace pipescope::kernels::device
