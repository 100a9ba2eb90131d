// Quantiles of measured values: one of the values, never one between two.
//
//   Quantile(values, share) = the value at place round(share (n - 1)) of the sorted n
//
// Example: of {1, 2, 4, 8} the median is 4, the upper of both, and the quartiles are 2 and 4.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "sim/base/result.h"

namespace pipescope {

// At least one value; `share` in [0, 1].
template <class T>
T Quantile(std::vector<T> values, double share) {
  PIPESCOPE_CHECK(!values.empty());
  const auto place = share * static_cast<double>(values.size() - 1) + 0.5;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(place);
  std::nth_element(values.begin(), at, values.end());
  return std::move(*at);
}

template <class T>
T Median(std::vector<T> values) {
  return Quantile(std::move(values), 0.5);
}

// How well the median of values is known that scatter as normal ones do: its standard error, over
// it. 1.25 sigma / sqrt(n), sigma = the distance between the quartiles / 1.35.
inline double MedianError(const std::vector<double>& values) {
  const double spread = Quantile(values, 0.75) - Quantile(values, 0.25);
  return 1.25 / 1.35 * spread / Quantile(values, 0.5) /
         std::sqrt(static_cast<double>(values.size()));
}

}  // namespace pipescope
