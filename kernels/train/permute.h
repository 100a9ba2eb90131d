// Tokens sorted by expert for a grouped GEMM, and back.
//
// A slot is one choice of one token: slot = token * selected + k. Each expert's rows follow one
// another in the order of their slots, and each expert begins at a multiple of `alignment` rows (a
// grouped GEMM wants 128, its tile's height): what is left over before the next one is padding. An
// expert without tokens has no rows. A slot with expert -1 goes nowhere (it is another rank's).
//
//   permute      row[r] = x[token of the slot of r], 0 for padding
//   its gradient dx[t] = sum over the slots of t of drow
//   unpermute    y[t] = sum over the slots of t of weight[slot] row[slot's row]
//   its gradient drow[r] = weight[slot] dy[token], 0 for padding
//                dweight[slot] = sum over c of dy[token][c] row[slot's row][c], 0 without a row
//
// Padding is written as zeros, so that weight gradients may sum over it, and never read.
// x, y are [tokens][columns], rows [rows()][columns], weights [tokens][selected].
//
// Example: one choice each, experts {1, 0, 1} of 3, alignment 2: counts {1, 2, 0}, offsets
// {0, 2, 4, 4}, the slots of the rows {1, -1, 0, 2}.
// Source: the layout of DeepGEMM's contiguous grouped GEMM (github.com/deepseek-ai/DeepGEMM).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pipescope::kernels {

struct Permutation {
  int64_t selected = 1;
  std::vector<int64_t> counts;   // [experts], without padding
  std::vector<int64_t> offsets;  // [experts + 1], first rows, multiples of the alignment
  std::vector<int64_t> slots;    // [rows], -1 for padding
  std::vector<int64_t> rows_of;  // [tokens * selected], -1 for a slot without one

  int64_t rows() const { return static_cast<int64_t>(slots.size()); }
};

// `chosen` is [tokens][selected], each in [-1, experts).
Permutation MakePermutation(std::span<const int32_t> chosen, int64_t selected, int64_t experts,
                            int64_t alignment);

std::vector<float> Permute(std::span<const float> x, const Permutation& by, int64_t columns);
std::vector<float> PermuteInputGradient(std::span<const float> d_rows, const Permutation& by,
                                        int64_t columns);

std::vector<float> Unpermute(std::span<const float> rows, std::span<const float> weights,
                             const Permutation& by, int64_t columns);
std::vector<float> UnpermuteInputGradient(std::span<const float> dy, std::span<const float> weights,
                                          const Permutation& by, int64_t columns);
std::vector<float> UnpermuteWeightGradient(std::span<const float> dy, std::span<const float> rows,
                                           const Permutation& by, int64_t columns);

}  // namespace pipescope::kernels
