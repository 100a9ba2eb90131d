// Cross-entropy of logits for GPUs; the equations are kernels/train/cross_entropy.h's.
//
// A block a token. The row is read three times: its maximum, the sum of exponentials, and, for the
// gradient, once more to be overwritten in place. 129 280 logits in BF16 are 259 KB, so the second
// and third reading mostly come from L2.
#pragma once

#include "kernels/train/device/block.h"

namespace pipescope::kernels::device {

struct Softmax {
  float largest, sum;  // of e^(z - largest)
};

template <class Block, class T>
PIPESCOPE_BOTH Softmax SoftmaxOf(Block& block, const T* logits, int64_t vocabulary) {
  float largest = -INFINITY;
  ForColumns<T>(block, vocabulary, [&](int64_t c) {
    const Wide<T> z = LoadWide(logits + c);
    PIPESCOPE_UNROLL
    for (int i = 0; i < kWide<T>; ++i) largest = fmaxf(largest, z.v[i]);
  });
  largest = block.Max(largest);
  float sum = 0;
  ForColumns<T>(block, vocabulary, [&](int64_t c) {
    const Wide<T> z = LoadWide(logits + c);
    PIPESCOPE_UNROLL
    for (int i = 0; i < kWide<T>; ++i) sum += expf(z.v[i] - largest);
  });
  return {largest, block.Sum(sum)};
}

// Writes the loss and, where `d_loss` is not zero or asked for, the logits' gradient over the
// logits. A negative target has neither: loss 0, gradient 0.
template <class Block, class T>
PIPESCOPE_BOTH void CrossEntropyRow(Block& block, T* logits, int32_t target, float d_loss,
                                    bool gradient, float* loss, int64_t vocabulary) {
  const Softmax softmax = SoftmaxOf(block, logits, vocabulary);
  const bool counts = target >= 0;
  // The target's logit is read by the lane that owns it, before it overwrites it.
  float of_target = 0;
  const float scale = counts ? d_loss / softmax.sum : 0;
  ForColumns<T>(block, vocabulary, [&](int64_t c) {
    const bool here = counts && target >= c && target < c + kWide<T>;
    if (!gradient && !here) return;
    Wide<T> z = LoadWide(logits + c);
    PIPESCOPE_UNROLL
    for (int i = 0; i < kWide<T>; ++i) {
      const bool is_target = here && target == c + i;
      if (is_target) of_target = z.v[i];
      // Infinite logits of a token without a target must not make NaN of nothing.
      z.v[i] = counts ? scale * expf(z.v[i] - softmax.largest) - (is_target ? d_loss : 0) : 0;
    }
    if (gradient) StoreWide(logits + c, z);
  });
  const float z = block.Sum(of_target);
  if (block.lane() == 0) *loss = counts ? logf(softmax.sum) + softmax.largest - z : 0;
}

}  // namespace pipescope::kernels::device
