// SwiGLU's element-wise part, between the two GEMMs of a feed-forward layer or an expert.
//
//   s = 1 / (1 + e^-g)      y = g s u
//   dg = dy u s (1 + g (1 - s))      du = dy g s
//
// Gate and up projection are one GEMM, so that x is [rows][2 columns]: the gate's columns g, then
// the up projection's u. y and dy are [rows][columns], dx is as x. There are no weights.
// DeepSeek-V3 keeps x and computes y again for the backward pass.
//
// Example: g = 2, u = 3: s = 0.8808, y = 5.2848; with dy = 1, dg = 3.2724 and du = 1.7616.
// Source: Shazeer, arXiv 2002.05202, section 2, SwiGLU with beta = 1, without the projections.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pipescope::kernels {

std::vector<float> SwiGlu(std::span<const float> x, int64_t columns);
std::vector<float> SwiGluInputGradient(std::span<const float> x, std::span<const float> dy,
                                       int64_t columns);

}  // namespace pipescope::kernels
