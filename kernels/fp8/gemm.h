// The block-scaled FP8 GEMM: what its CUDA versions must compute.
//
//   c[i][j] = sum over groups g of 128 of k:
//               scale_a(i, g) scale_b(j, g) sum over k in g of a[i][k] b[j][k]
//
// Both operands are stored along k ("NT"): a is m x k, b is n x k. a has tiles of 1 x 128; b has
// blocks of 128 x 128 (forward and input gradient) or tiles as well (weight gradient).
//
//   kWide            sums in double: the truth
//   kPromoted        a tensor core's sum of each 128, then FP32: what DeepSeek-V3 runs
//   kNotPromoted     one tensor core's sum over all of k. A scale of its own for every 128 cannot
//                    be applied then: operands need the same scale all along k
//
// Example: k = 128, all codes 1, scales 2 and 3: every c is 128 x 6 = 768 in each of them.
// Source: arXiv 2412.19437, section 3.3; tensor_core.h.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/fp8/quantize.h"

namespace pipescope::kernels {

enum class Accumulation { kWide, kPromoted, kNotPromoted };

// [m][n]. Aborts where the operands' columns differ, or scales vary along k under kNotPromoted.
std::vector<double> BlockScaledGemm(const Quantized& a, const Quantized& b,
                                    Accumulation accumulation);

// One scale a row, the same for all groups along k: what a GEMM without promotion can use.
Quantized QuantizeRows(std::span<const float> values, int64_t rows, int64_t columns);

// 1 - 2 sum(x y) / sum(x^2 + y^2): 0 where equal, about half of the squared relative error where
// close. DeepGEMM's measure; its tests allow 0.001 for FP8.
double RelativeDifference(std::span<const double> x, std::span<const double> y);

// How far apart results are, in units of the mean magnitude of the truth.
struct ErrorSize {
  double worst = 0;             // max |x - truth| / mean |truth|
  double root_mean_square = 0;  // sqrt(sum (x - truth)^2 / sum truth^2)
};
ErrorSize ErrorOf(std::span<const double> x, std::span<const double> truth);

}  // namespace pipescope::kernels
