// SwiGLU and its input gradient for GPUs; the equations are kernels/train/swiglu.h's.
//
// A block a row. Bytes per row of BF16: 6 a column forward, 10 backward (which may write y again,
// where it was not kept: 12).
#pragma once

#include "kernels/train/device/block.h"

namespace pipescope::kernels::device {

PIPESCOPE_BOTH float Sigmoid(float x) { return 1.0F / (1.0F + expf(-x)); }

template <class Block, class T>
PIPESCOPE_BOTH void SwiGluRow(Block& block, const T* x, T* y, int64_t columns) {
  ForColumns<T>(block, columns, [&](int64_t c) {
    Wide<T> g = LoadWide(x + c);
    const Wide<T> u = LoadWide(x + columns + c);
    PIPESCOPE_UNROLL
    for (int i = 0; i < kWide<T>; ++i) g.v[i] *= Sigmoid(g.v[i]) * u.v[i];
    StoreWide(y + c, g);
  });
}

// `again` may be null.
template <class Block, class T>
PIPESCOPE_BOTH void SwiGluInputGradientRow(Block& block, const T* x, const T* dy, T* dx, T* again,
                                           int64_t columns) {
  ForColumns<T>(block, columns, [&](int64_t c) {
    const Wide<T> g = LoadWide(x + c), u = LoadWide(x + columns + c), d = LoadWide(dy + c);
    Wide<T> dg, du, y;
    PIPESCOPE_UNROLL
    for (int i = 0; i < kWide<T>; ++i) {
      const float s = Sigmoid(g.v[i]);
      dg.v[i] = d.v[i] * u.v[i] * s * (1 + g.v[i] * (1 - s));
      du.v[i] = d.v[i] * g.v[i] * s;
      y.v[i] = g.v[i] * s * u.v[i];
    }
    StoreWide(dx + c, dg);
    StoreWide(dx + columns + c, du);
    if (again != nullptr) StoreWide(again + c, y);
  });
}

}  // namespace pipescope::kernels::device
