// Rows that move: embedding, its gradient, permutation by expert and back, residual additions. The
// equations are kernels/train/embedding.h's and permute.h's.
//
// A block a row of the result, which gathers what it is made of: no atomics, so results do not
// depend on timing. Slots and rows are -1 where there is none.
#pragma once

#include "kernels/train/device/block.h"

namespace pipescope::kernels::device {

// y = x of row `from`, or zeros.
template <class Block, class T>
PIPESCOPE_BOTH void GatherRow(Block& block, const T* x, int64_t from, T* y, int64_t columns) {
  ForColumns<T>(block, columns, [&](int64_t c) {
    Wide<T> wide = {};
    if (from >= 0) wide = LoadWide(x + from * columns + c);
    StoreWide(y + c, wide);
  });
}

template <class Block, class T>
PIPESCOPE_BOTH void AddRow(Block& block, const T* a, const T* b, T* y, int64_t columns) {
  ForColumns<T>(block, columns, [&](int64_t c) {
    Wide<T> sum = LoadWide(a + c);
    const Wide<T> other = LoadWide(b + c);
    PIPESCOPE_UNROLL
    for (int i = 0; i < kWide<T>; ++i) sum.v[i] += other.v[i];
    StoreWide(y + c, sum);
  });
}

// y = sum over k of weight[k] rows[which[k]], in order, without a weight where `weights` is null:
// unpermute, and the gradient of permute.
template <class Block, class T>
PIPESCOPE_BOTH void SumOfRows(Block& block, const T* rows, const int64_t* which,
                              const float* weights, int count, T* y, int64_t columns) {
  ForColumns<T>(block, columns, [&](int64_t c) {
    Wide<T> sum = {};
    for (int k = 0; k < count; ++k) {
      if (which[k] < 0) continue;
      const Wide<T> row = LoadWide(rows + which[k] * columns + c);
      const float weight = weights == nullptr ? 1.0F : weights[k];
      PIPESCOPE_UNROLL
      for (int i = 0; i < kWide<T>; ++i) sum.v[i] += weight * row.v[i];
    }
    StoreWide(y + c, sum);
  });
}

// The gradient of one row of unpermute: weight dy of its token; and of the row's weight.
template <class Block, class T>
PIPESCOPE_BOTH void UnpermuteGradientRow(Block& block, const T* row, const T* dy, float weight,
                                         T* d_row, float* d_weight, int64_t columns) {
  float dot = 0;
  ForColumns<T>(block, columns, [&](int64_t c) {
    Wide<T> g = LoadWide(dy + c);
    const Wide<T> r = LoadWide(row + c);
    PIPESCOPE_UNROLL
    for (int i = 0; i < kWide<T>; ++i) {
      dot += g.v[i] * r.v[i];
      g.v[i] *= weight;
    }
    StoreWide(d_row + c, g);
  });
  const float sum = block.Sum(dot);
  if (block.lane() == 0) *d_weight = sum;
}

// One row of an embedding's gradient: dy of the tokens that are it, in order. `tokens` are
// positions sorted by token, [first, last) those of this row.
template <class Block, class T>
PIPESCOPE_BOTH void EmbeddingGradientRow(Block& block, const T* dy, const int32_t* positions,
                                         int64_t first, int64_t last, float* d_row,
                                         int64_t columns) {
  ForColumns<T>(block, columns, [&](int64_t c) {
    Wide<T> sum = {};
    for (int64_t p = first; p < last; ++p) {
      const Wide<T> g = LoadWide(dy + int64_t{positions[p]} * columns + c);
      PIPESCOPE_UNROLL
      for (int i = 0; i < kWide<T>; ++i) sum.v[i] += g.v[i];
    }
    PIPESCOPE_UNROLL
    for (int i = 0; i < kWide<T>; ++i) d_row[c + i] = sum.v[i];
  });
}

}  // namespace pipescope::kernels::device
