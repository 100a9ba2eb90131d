// What tests of device code share: inputs that BF16 holds exactly, poisoned outputs, and how near
// to the truth FP32 sums and a rounding to BF16 must come.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "kernels/train/bf16.h"
#include "kernels/train/device/block.h"
#include "tests/kernels/thread_block.h"

namespace pipescope::kernels {

using device::Bf16;

inline constexpr int kLanes[] = {1, 5, 32};

// Values that BF16 holds exactly, so that the truth and the device start from the same.
inline std::vector<float> Draw(size_t count, uint32_t seed, float scale = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> value(0, scale);
  std::vector<float> values(count);
  for (float& v : values) v = DecodeBf16(EncodeBf16(value(random)));
  return values;
}

template <class T>
std::vector<T> As(const std::vector<float>& values) {
  std::vector<T> list(values.size());
  for (size_t i = 0; i < values.size(); ++i) device::Store(list[i], values[i]);
  return list;
}

template <class T>
std::vector<T> Poisoned(size_t count) {
  return As<T>(std::vector<float>(count, NAN));
}

// Within the rounding of T, and of sums of `terms` in FP32.
template <class T>
void ExpectNear(const std::vector<T>& got, const std::vector<float>& truth, double terms) {
  ASSERT_EQ(got.size(), truth.size());
  const double unit = sizeof(T) == 2 ? kBf16Error : 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double bound = unit * std::abs(truth[i]) + terms * 1e-7 * (1 + std::abs(truth[i]));
    ASSERT_NEAR(device::Load(got[i]), truth[i], bound) << i;
  }
}

}  // namespace pipescope::kernels
