// Linear layers as real runs need them: OpenBLAS, one thread a call.
//
//   y  = x w'          x [tokens][in], w [out][in], y [tokens][out]
//   dx = dy w          dw = dy' x
//
// The ranks of a run are threads themselves, so a call must not start others. A result depends on
// the values and the sizes alone: the same call gives the same bits on every rank, which is what
// lets runs of different schedules be compared to the bit.
//
// Against sums in double the error of an element is at most k 2^-24 of the sum of magnitudes, k the
// length of the sum; it grows like the root of k in practice.
//
// Example: x = {1, 2}, w = {{3, 4}}: y = 11; with dy = 1, dx = {3, 4} and dw = {1, 2}.
// Source of the bound: Higham, "Accuracy and Stability of Numerical Algorithms", section 3.1.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pipescope::kernels::fast {

// A matrix inside others: rows of `columns` values, `stride` apart.
struct View {
  const float* data = nullptr;
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t stride = 0;
};

enum class Turned { kNo, kYes };

// c = by a b, or c += ... where `add`; a and b may be turned. c has rows `stride` apart.
void Multiply(const View& a, Turned turn_a, const View& b, Turned turn_b, float by, bool add,
              float* c, int64_t stride);

std::vector<float> Linear(std::span<const float> x, std::span<const float> w, int64_t in);
std::vector<float> LinearInputGradient(std::span<const float> dy, std::span<const float> w,
                                       int64_t in);
std::vector<float> LinearWeightGradient(std::span<const float> x, std::span<const float> dy,
                                        int64_t in, int64_t out);

}  // namespace pipescope::kernels::fast
