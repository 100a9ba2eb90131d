#include "kernels/train/rope.h"

#include <cmath>

#include "sim/base/result.h"

namespace pipescope::kernels {
namespace {

// `direction` is 1 to turn and -1 to turn back.
std::vector<float> Turn(std::span<const float> x, std::span<const int64_t> positions,
                        std::span<const double> frequencies, const RopeShape& shape,
                        double direction) {
  PIPESCOPE_CHECK(shape.heads > 0 && shape.rotary >= 0 && shape.rotary % 2 == 0);
  PIPESCOPE_CHECK(shape.rotary <= shape.channels);
  const size_t heads = static_cast<size_t>(shape.heads);
  const size_t channels = static_cast<size_t>(shape.channels);
  const size_t still = static_cast<size_t>(shape.channels - shape.rotary);
  PIPESCOPE_CHECK(x.size() == positions.size() * heads * channels);
  PIPESCOPE_CHECK(frequencies.size() * 2 == channels - still);
  std::vector<float> y(x.begin(), x.end());
  for (size_t head = 0; head < positions.size() * heads; ++head) {
    const double position = static_cast<double>(positions[head / heads]);
    for (size_t i = 0; i < frequencies.size(); ++i) {
      const double angle = direction * position * frequencies[i];
      const size_t at = head * channels + still + 2 * i;
      const double real = x[at], imaginary = x[at + 1];
      y[at] = static_cast<float>(real * std::cos(angle) - imaginary * std::sin(angle));
      y[at + 1] = static_cast<float>(real * std::sin(angle) + imaginary * std::cos(angle));
    }
  }
  return y;
}

}  // namespace

std::vector<double> RopeFrequencies(int64_t rotary, double base) {
  std::vector<double> frequencies;
  for (int64_t i = 0; i < rotary; i += 2) {
    frequencies.push_back(std::pow(base, -static_cast<double>(i) / static_cast<double>(rotary)));
  }
  return frequencies;
}

std::vector<float> Rope(std::span<const float> x, std::span<const int64_t> positions,
                        std::span<const double> frequencies, const RopeShape& shape) {
  return Turn(x, positions, frequencies, shape, 1);
}

std::vector<float> RopeInputGradient(std::span<const float> dy, std::span<const int64_t> positions,
                                     std::span<const double> frequencies, const RopeShape& shape) {
  return Turn(dy, positions, frequencies, shape, -1);
}

}  // namespace pipescope::kernels
