// A weight matrix of a rank: FP32 master weights, what the kernels read, the sum of its gradients,
// AdamW's moments.
//
// Schedules add micro-batches up in different orders, and DualPipe on two copies. So that the sum
// does not depend on the order, each gradient is rounded to a multiple of 2^-44 and added in
// double: all sums below 2^9 are then exact,
//
//   round(g) = (g + 3 x 2^7) - 3 x 2^7 in double        |g| < 2^7
//
// and runs can be compared to the bit. What is lost is 2^-45 = 2.8e-14 a micro-batch. A larger sum
// is an error, since it might depend on the order.
//
// Example: 0.1F + 0.2F + 0.3F and 0.3F + 0.2F + 0.1F are the same double.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/train/adamw.h"
#include "sim/base/result.h"

namespace pipescope::transformer {

using GradientSum = std::vector<double>;

inline constexpr double kLargestSum = 512;
inline constexpr double kGrid = 3 * 128;

// From a normal distribution, or all ones where `spread` is 0. The values depend on the name alone,
// so that copies on several ranks are equal.
std::vector<float> DrawWeights(const std::string& name, int64_t count, double spread);

class Parameter {
 public:
  Parameter(std::string name, int64_t rows, int64_t columns, double spread, bool bf16);
  Parameter(const Parameter&) = delete;
  Parameter& operator=(const Parameter&) = delete;

  const std::string& name() const { return name_; }
  int64_t columns() const { return columns_; }
  int64_t rows() const { return static_cast<int64_t>(used_.size()) / columns_; }
  std::span<const float> used() const { return used_; }
  std::span<const float> gradient() const { return gradient_; }
  std::span<const float> master() const { return master_; }
  void set_master(std::span<const float> weights);

  void Add(std::span<const float> gradient);
  // The sum so far; the next one starts at zero.
  std::shared_ptr<const GradientSum> TakeSum();
  // Adds up what all copies gave, which must be the same list on each, in any order.
  Status SetGradient(const std::vector<std::shared_ptr<const GradientSum>>& sums);
  void Update(const kernels::AdamW& adamw, int64_t step);

 private:
  std::string name_;
  int64_t columns_;
  bool bf16_;
  std::vector<float> master_, used_, gradient_;
  std::shared_ptr<GradientSum> sum_;
  std::vector<uint16_t> first_moment_, second_moment_;
};

}  // namespace pipescope::transformer
