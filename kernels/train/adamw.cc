#include "kernels/train/adamw.h"

#include <cmath>

#include "kernels/train/bf16.h"
#include "sim/base/result.h"

namespace pipescope::kernels {

void AdamWStep(const AdamW& adamw, int64_t step, std::span<const float> gradient,
               std::span<float> weights, std::span<uint16_t> first_moment,
               std::span<uint16_t> second_moment) {
  PIPESCOPE_CHECK(step >= 1 && weights.size() == gradient.size());
  PIPESCOPE_CHECK(first_moment.size() == weights.size() && second_moment.size() == weights.size());
  const double seen1 = 1 - std::pow(adamw.beta1, static_cast<double>(step));
  const double seen2 = 1 - std::pow(adamw.beta2, static_cast<double>(step));
  for (size_t i = 0; i < weights.size(); ++i) {
    const double g = gradient[i], w = weights[i];
    const double m = adamw.beta1 * DecodeBf16(first_moment[i]) + (1 - adamw.beta1) * g;
    const double v = adamw.beta2 * DecodeBf16(second_moment[i]) + (1 - adamw.beta2) * g * g;
    const double update = m / seen1 / (std::sqrt(v / seen2) + adamw.epsilon);
    weights[i] = static_cast<float>(w - adamw.rate * (update + adamw.decay * w));
    first_moment[i] = EncodeBf16(static_cast<float>(m));
    second_moment[i] = EncodeBf16(static_cast<float>(v));
  }
}

}  // namespace pipescope::kernels
