// A row-major matrix as its rows, and the way back from double. All kernels here read floats, sum
// in double and round once, at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/base/result.h"

namespace pipescope::kernels {

class Rows {
 public:
  Rows(std::span<const float> values, int64_t columns)
      : values_(values), columns_(static_cast<size_t>(columns)) {
    PIPESCOPE_CHECK(columns > 0 && values.size() % columns_ == 0);
  }
  size_t count() const { return values_.size() / columns_; }
  size_t columns() const { return columns_; }
  std::span<const float> operator[](size_t row) const {
    return values_.subspan(row * columns_, columns_);
  }

 private:
  std::span<const float> values_;
  size_t columns_;
};

inline std::vector<float> Narrow(std::span<const double> wide) {
  std::vector<float> narrow;
  narrow.reserve(wide.size());
  for (const double value : wide) narrow.push_back(static_cast<float>(value));
  return narrow;
}

}  // namespace pipescope::kernels
