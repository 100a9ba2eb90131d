#include "kernels/transformer/parameter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "kernels/fast/layers.h"
#include "kernels/transformer/tape.h"

namespace pipescope::transformer {
namespace {

// FNV-1a, 32 bits: the same seed on every machine (std::hash is not).
uint32_t SeedOf(const std::string& name) {
  uint32_t hash = 2166136261U;
  for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619U;
  return hash;
}

// Box and Muller: std::normal_distribution differs between libraries.
float DrawNormal(std::mt19937& engine, double spread) {
  const auto draw = [&] { return static_cast<double>(engine()); };
  const double u = (draw() + 1) / 4294967297.0, v = draw() / 4294967296.0;
  return static_cast<float>(spread * std::sqrt(-2 * std::log(u)) * std::cos(2 * M_PI * v));
}

}  // namespace

std::vector<float> DrawWeights(const std::string& name, int64_t count, double spread) {
  std::vector<float> weights(static_cast<size_t>(count), 1.0F);
  std::mt19937 engine(SeedOf(name));
  if (spread > 0) {
    for (float& weight : weights) weight = DrawNormal(engine, spread);
  }
  return weights;
}

Parameter::Parameter(std::string name, int64_t rows, int64_t columns, double spread, bool bf16)
    : name_(std::move(name)),
      columns_(columns),
      bf16_(bf16),
      master_(DrawWeights(name_, rows * columns, spread)),
      gradient_(master_.size()),
      sum_(std::make_shared<GradientSum>(master_.size())),
      first_moment_(master_.size()),
      second_moment_(master_.size()) {
  set_master(std::vector<float>(master_));
}

void Parameter::set_master(std::span<const float> weights) {
  PIPESCOPE_CHECK(weights.size() == master_.size());
  std::copy(weights.begin(), weights.end(), master_.begin());
  used_ = master_;
  if (bf16_) RoundToBf16(used_);
}

void Parameter::Add(std::span<const float> gradient) {
  PIPESCOPE_CHECK(gradient.size() == sum_->size());
  double* sum = sum_->data();
  for (size_t i = 0; i < gradient.size(); ++i) sum[i] += (double{gradient[i]} + kGrid) - kGrid;
}

std::shared_ptr<const GradientSum> Parameter::TakeSum() {
  auto taken = std::move(sum_);
  sum_ = std::make_shared<GradientSum>(taken->size());
  return taken;
}

Status Parameter::SetGradient(const std::vector<std::shared_ptr<const GradientSum>>& sums) {
  bool exact = true;
  for (size_t i = 0; i < gradient_.size(); ++i) {
    double sum = 0, magnitude = 0;
    for (const auto& part : sums) {
      sum += (*part)[i];
      magnitude += std::fabs((*part)[i]);
    }
    exact = exact && magnitude < kLargestSum;  // false for NaN too
    gradient_[i] = static_cast<float>(sum);
  }
  if (exact) return {};
  return Fail(fmt::format("the gradient of {} is above {} or not a number", name_, kLargestSum));
}

void Parameter::Update(const kernels::AdamW& adamw, int64_t step) {
  kernels::fast::AdamWStep(adamw, step, gradient_, master_, first_moment_, second_moment_);
  used_ = master_;
  if (bf16_) RoundToBf16(used_);
}

}  // namespace pipescope::transformer
