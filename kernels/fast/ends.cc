// Cross-entropy and the optimizer.
#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels/fast/layers.h"
#include "kernels/train/cross_entropy.h"
#include "sim/base/result.h"

namespace pipescope::kernels::fast {
namespace {

// ln(sum of e^z) = largest + log_rest; the exponentials are summed in double.
struct LogSum {
  float largest = 0;
  float log_rest = 0;
};

LogSum LogSumOf(std::span<const float> row) {
  const float largest = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (const float z : row) sum += std::exp(z - largest);
  return {largest, static_cast<float>(std::log(sum))};
}

void Check(std::span<const float> logits, std::span<const int32_t> targets, int64_t vocabulary) {
  PIPESCOPE_CHECK(vocabulary > 0);
  PIPESCOPE_CHECK(logits.size() == targets.size() * static_cast<size_t>(vocabulary));
  for (const int32_t target : targets) {
    PIPESCOPE_CHECK(kNoTarget <= target && target < vocabulary);
  }
}

// As train/bf16.h, but for NaN, which a sum of gradients has been checked for.
uint16_t Encode(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
float Decode(uint16_t code) { return std::bit_cast<float>(uint32_t{code} << 16); }

}  // namespace

std::vector<float> CrossEntropy(std::span<const float> logits, std::span<const int32_t> targets,
                                int64_t vocabulary) {
  Check(logits, targets, vocabulary);
  const size_t width = static_cast<size_t>(vocabulary);
  std::vector<float> losses(targets.size());
  for (size_t t = 0; t < losses.size(); ++t) {
    if (targets[t] == kNoTarget) continue;
    const auto row = logits.subspan(t * width, width);
    const LogSum sum = LogSumOf(row);
    losses[t] = sum.largest - row[static_cast<size_t>(targets[t])] + sum.log_rest;
  }
  return losses;
}

std::vector<float> CrossEntropyInputGradient(std::span<const float> logits,
                                             std::span<const int32_t> targets,
                                             std::span<const float> d_losses, int64_t vocabulary) {
  Check(logits, targets, vocabulary);
  PIPESCOPE_CHECK(d_losses.size() == targets.size());
  const size_t width = static_cast<size_t>(vocabulary);
  std::vector<float> d_logits(logits.size());
  for (size_t t = 0; t < targets.size(); ++t) {
    if (targets[t] == kNoTarget) continue;
    const auto row = logits.subspan(t * width, width);
    const LogSum sum = LogSumOf(row);
    float* to = d_logits.data() + t * width;
    for (size_t v = 0; v < width; ++v) {
      to[v] = d_losses[t] * std::exp(row[v] - sum.largest - sum.log_rest);
    }
    to[static_cast<size_t>(targets[t])] -= d_losses[t];
  }
  return d_logits;
}

void AdamWStep(const AdamW& adamw, int64_t step, std::span<const float> gradient,
               std::span<float> weights, std::span<uint16_t> first_moment,
               std::span<uint16_t> second_moment) {
  PIPESCOPE_CHECK(step >= 1 && weights.size() == gradient.size());
  PIPESCOPE_CHECK(first_moment.size() == weights.size() && second_moment.size() == weights.size());
  const auto narrow = [](double value) { return static_cast<float>(value); };
  const float beta1 = narrow(adamw.beta1), rest1 = narrow(1 - adamw.beta1);
  const float beta2 = narrow(adamw.beta2), rest2 = narrow(1 - adamw.beta2);
  const float seen1 = narrow(1 / (1 - std::pow(adamw.beta1, static_cast<double>(step))));
  const float seen2 = narrow(1 / (1 - std::pow(adamw.beta2, static_cast<double>(step))));
  const float rate = narrow(adamw.rate), kept = narrow(1 - adamw.rate * adamw.decay);
  const float epsilon = narrow(adamw.epsilon);
  for (size_t i = 0; i < weights.size(); ++i) {
    const float g = gradient[i];
    const float m = beta1 * Decode(first_moment[i]) + rest1 * g;
    const float v = beta2 * Decode(second_moment[i]) + rest2 * g * g;
    const float update = m * seen1 / (std::sqrt(v * seen2) + epsilon);
    weights[i] = kept * weights[i] - rate * update;
    first_moment[i] = Encode(m);
    second_moment[i] = Encode(v);
  }
}

}  // namespace pipescope::kernels::fast
