// Quantiles of measured values: one of the values, never one between two.
//
//   Quantile(values, share) = the value at place round(share (n - 1)) of the sorted n
//
// Example: of {1, 2, 4, 8} the median is 4, the upper of both, and the quartiles are 2 and 4.
#pragma once

#include <algorithm>
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

}  // namespace pipescope
