// Sums along a row in sixteen lanes that are added up at the end: a fixed order that the compiler
// can keep in vector registers, where the plain left-to-right order cannot be.
#pragma once

#include <array>
#include <cstddef>

namespace pipescope::kernels::fast {

inline constexpr size_t kLanes = 16;

// sum of term(i) for i in [0, count)
template <class Term>
float SumOf(size_t count, const Term& term) {
  std::array<float, kLanes> sums = {};
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += term(i + lane);
  }
  for (size_t lane = 0; i < count; ++i, ++lane) sums[lane] += term(i);
  float sum = 0;
  for (const float part : sums) sum += part;
  return sum;
}

}  // namespace pipescope::kernels::fast
