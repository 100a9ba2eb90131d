#include "kernels/train/cross_entropy.h"

#include <algorithm>
#include <cmath>

#include "kernels/train/rows.h"

namespace pipescope::kernels {
namespace {

// ln(sum of e^z) = largest + log_rest. The two are kept apart: beside a huge logit the rest is
// lost.
struct LogSum {
  double largest = 0;
  double log_rest = 0;
};

LogSum LogSumOf(std::span<const float> row) {
  const double largest = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (const double z : row) sum += std::exp(z - largest);
  return {largest, std::log(sum)};
}

void Check(const Rows& rows, std::span<const int32_t> targets) {
  PIPESCOPE_CHECK(rows.count() == targets.size());
  for (const int32_t target : targets) {
    PIPESCOPE_CHECK(kNoTarget <= target && target < static_cast<int64_t>(rows.columns()));
  }
}

}  // namespace

std::vector<float> CrossEntropy(std::span<const float> logits, std::span<const int32_t> targets,
                                int64_t vocabulary) {
  const Rows rows(logits, vocabulary);
  Check(rows, targets);
  std::vector<double> losses(targets.size());
  for (size_t t = 0; t < losses.size(); ++t) {
    if (targets[t] == kNoTarget) continue;
    const LogSum sum = LogSumOf(rows[t]);
    losses[t] = sum.largest - rows[t][static_cast<size_t>(targets[t])] + sum.log_rest;
  }
  return Narrow(losses);
}

std::vector<float> CrossEntropyInputGradient(std::span<const float> logits,
                                             std::span<const int32_t> targets,
                                             std::span<const float> d_losses, int64_t vocabulary) {
  const Rows rows(logits, vocabulary);
  Check(rows, targets);
  PIPESCOPE_CHECK(d_losses.size() == targets.size());
  std::vector<double> d_logits(logits.size());
  for (size_t t = 0; t < rows.count(); ++t) {
    if (targets[t] == kNoTarget) continue;
    const LogSum sum = LogSumOf(rows[t]);
    for (size_t v = 0; v < rows.columns(); ++v) {
      const double probability = std::exp(rows[t][v] - sum.largest - sum.log_rest);
      const double hit = v == static_cast<size_t>(targets[t]) ? 1 : 0;
      d_logits[t * rows.columns() + v] = d_losses[t] * (probability - hit);
    }
  }
  return Narrow(d_logits);
}

}  // namespace pipescope::kernels
