#include "tests/kernels/gradients.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace pipescope::kernels {

std::vector<float> Normal(int64_t count, uint32_t seed, float scale) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = normal(engine);
  return values;
}

double Dot(std::span<const float> a, std::span<const float> b) {
  EXPECT_EQ(a.size(), b.size());
  double sum = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) sum += double{a[i]} * b[i];
  return sum;
}

void ExpectGradient(const std::function<double(std::span<const float>)>& loss, std::vector<float> x,
                    std::span<const float> gradient, double tolerance) {
  ASSERT_EQ(x.size(), gradient.size());
  constexpr float kStep = 1.0F / 32;
  double largest = 0;
  for (const float value : gradient) largest = std::max(largest, std::fabs(double{value}));
  ASSERT_GT(largest, 0);
  for (size_t i = 0; i < x.size(); ++i) {
    const float at = x[i];
    const auto moved = [&](float by) {
      x[i] = at + by;
      return loss(x);
    };
    const double near = moved(kStep) - moved(-kStep), far = moved(2 * kStep) - moved(-2 * kStep);
    x[i] = at;
    ASSERT_NEAR(gradient[i], (8 * near - far) / (12 * double{kStep}), tolerance * largest) << i;
  }
}

}  // namespace pipescope::kernels
