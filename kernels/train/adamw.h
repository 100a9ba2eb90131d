// One step of AdamW with FP32 master weights and BF16 moments, as DeepSeek-V3 trains.
//
//   m = beta1 m + (1 - beta1) g             v = beta2 v + (1 - beta2) g^2
//   w = w - rate (m / (1 - beta1^step) / (sqrt(v / (1 - beta2^step)) + epsilon) + decay w)
//
// The weight decay is decoupled: it does not pass through the moments. The step's update is made
// from m and v as they are before they are rounded to be stored, as a fused kernel has them in
// registers; only the next step sees BF16. w is rounded to FP32 once. All arrays are [weights]; the
// gradient is FP32, summed over micro-batches and ranks and clipped before.
//
// BF16 forgets slowly or not at all: if beta2 is 0.999, the change of v without gradient, 0.1 %,
// is below half a spacing (0.2 to 0.4 %), and v never falls. With DeepSeek-V3's 0.95 it does.
//
// Example: w = 1, g = 2, no moments, step 1, rate 0.1, decay 0.1: m = 0.2 (stored 0.2001953), v =
// 0.2 (the same), m / 0.1 = 2, v / 0.05 = 4, w = 1 - 0.1 (2 / 2 + 0.1) = 0.89.
// Source: Loshchilov and Hutter, arXiv 1711.05101, algorithm 2 (the schedule is in the rate);
// arXiv 2412.19437, sections 3.3.3 (BF16 moments, FP32 weights) and 4.2 (0.9, 0.95, 0.1).
#pragma once

#include <cstdint>
#include <span>

namespace pipescope::kernels {

struct AdamW {
  double rate = 2.2e-4;
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;  // as in the paper; DeepSeek-V3's is not published
  double decay = 0.1;
};

// `step` counts from 1. Weights and moments (in BF16's code) are updated in place.
void AdamWStep(const AdamW& adamw, int64_t step, std::span<const float> gradient,
               std::span<float> weights, std::span<uint16_t> first_moment,
               std::span<uint16_t> second_moment);

}  // namespace pipescope::kernels
