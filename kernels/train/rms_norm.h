// RMSNorm: each row divided by its root mean square, each column times a learnt weight.
//
//   r[t]    = 1 / sqrt(mean over c of x[t][c]^2 + epsilon)
//   y[t][c] = x[t][c] r[t] w[c]
//
//   dx[t][c] = r[t] (w[c] dy[t][c] - x[t][c] r[t]^2 mean over j of (w[j] dy[t][j] x[t][j]))
//   dw[c]    = sum over t of dy[t][c] x[t][c] r[t]
//
// x, y, dx, dy are [rows][columns], w and dw [columns]. r is not kept but computed again, as
// DeepSeek-V3 does with all of its RMSNorms. A row of zeros stays zero; its gradient is
// w dy / sqrt(epsilon).
//
// Example: x = {3, 4}, w = {1, 2}, epsilon ~ 0: the mean square is 12.5, y = {0.8485, 2.2627}.
// Source: Zhang and Sennrich, arXiv 1910.07467, equation 4 (epsilon added for zero rows; 1e-6 in
// DeepSeek-V3's configuration).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pipescope::kernels {

inline constexpr double kRmsNormEpsilon = 1e-6;

// The columns are as many as the weights.
std::vector<float> RmsNorm(std::span<const float> x, std::span<const float> weight,
                           double epsilon = kRmsNormEpsilon);
std::vector<float> RmsNormInputGradient(std::span<const float> x, std::span<const float> weight,
                                        std::span<const float> dy,
                                        double epsilon = kRmsNormEpsilon);
std::vector<float> RmsNormWeightGradient(std::span<const float> x, std::span<const float> dy,
                                         int64_t columns, double epsilon = kRmsNormEpsilon);

}  // namespace pipescope::kernels
