// Linear layers in FP8 as DeepSeek-V3 trains them, for real runs on a CPU.
//
//   y  = x w'     x in tiles of 1 x 128, w in blocks of 128 x 128
//   dx = dy w     dy in tiles, w in blocks
//   dw = dy' x    both transposed and in tiles along the tokens
//
// Operands are rounded to E4M3 by kernels/fp8 and multiplied in FP32 from there, all of k in one
// sum: what the tensor cores' promotion to FP32 every 128 comes near to. Each operand is off by up
// to 2^-4 of its value where it is not small in its group, so a product by 2^-3; sums of
// independent errors grow like their root.
//
// Source: arXiv 2412.19437, section 3.3.2. Gate, head, norms and attention stay as they are.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pipescope::transformer {

std::vector<float> Fp8Linear(std::span<const float> x, std::span<const float> w, int64_t in);
std::vector<float> Fp8InputGradient(std::span<const float> dy, std::span<const float> w,
                                    int64_t in);
std::vector<float> Fp8WeightGradient(std::span<const float> x, std::span<const float> dy,
                                     int64_t in, int64_t out);

}  // namespace pipescope::transformer
