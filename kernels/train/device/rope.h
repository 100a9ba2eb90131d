// Rotary position embedding for GPUs; the equations are kernels/train/rope.h's.
//
// A block a token: its heads one after another. Angles come as a table of cosines and sines,
// [positions][rotary / 2] pairs in FP32 made from FP64 on the host, since p f[i] in FP32 is off by
// 1e-3 at position 16384. `turn` is 1 forward and -1 for the input gradient. In place or not.
#pragma once

#include "kernels/train/device/block.h"

namespace pipescope::kernels::device {

struct Turn {
  float cosine, sine;
};

template <class Block, class T>
PIPESCOPE_BOTH void RopeToken(Block& block, const T* x, T* y, const Turn* table, float turn,
                              int64_t heads, int64_t channels, int64_t rotary) {
  const int64_t still = channels - rotary;
  ForColumns<T>(block, heads * channels, [&](int64_t c) {
    Wide<T> wide = LoadWide(x + c);
    const int64_t in_head = c % channels;
    if (in_head >= still) {
      const Turn* by = table + (in_head - still) / 2;
      PIPESCOPE_UNROLL
      for (int i = 0; i < kWide<T>; i += 2) {
        const float a = wide.v[i], b = wide.v[i + 1];
        const float sine = turn * by[i / 2].sine;
        wide.v[i] = a * by[i / 2].cosine - b * sine;
        wide.v[i + 1] = a * sine + b * by[i / 2].cosine;
      }
    }
    StoreWide(y + c, wide);
  });
}

}  // namespace pipescope::kernels::device
