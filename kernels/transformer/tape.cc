#include "kernels/transformer/tape.h"

#include "kernels/train/bf16.h"
#include "sim/base/result.h"

namespace pipescope::transformer {

void RoundToBf16(std::span<float> values) {
  for (float& value : values) value = kernels::DecodeBf16(kernels::EncodeBf16(value));
}

Tensor Tape::Make(std::vector<float> value, int64_t columns) const {
  if (bf16_) RoundToBf16(value);
  return std::make_shared<TensorData>(TensorData{columns, std::move(value), {}});
}

void Tape::AddGradient(const Tensor& to, std::vector<float> gradient) const {
  PIPESCOPE_CHECK(gradient.size() == to->value.size());
  if (bf16_) RoundToBf16(gradient);
  if (to->gradient.empty()) {
    to->gradient = std::move(gradient);
    return;
  }
  for (size_t i = 0; i < gradient.size(); ++i) to->gradient[i] += gradient[i];
  if (bf16_) RoundToBf16(to->gradient);
}

void TapeFunctions::Record(std::function<void()> input_gradient) {
  back_.push_back(std::move(input_gradient));
}

void TapeFunctions::Defer(std::function<void()> weight_gradient) {
  deferred_.push_back(std::move(weight_gradient));
}

void TapeFunctions::InputGradient() {
  for (; !back_.empty(); back_.pop_back()) back_.back()();
}

void TapeFunctions::WeightGradient() {
  for (auto& run : deferred_) run();
  deferred_.clear();
}

}  // namespace pipescope::transformer
