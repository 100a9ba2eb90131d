#include "kernels/transformer/device/tensor.h"

#include <utility>

namespace pipescope::transformer::device {

Tensor Tape::Make(Extent size) const {
  return std::make_shared<TensorData>(TensorData{size, Allocate<Bf16>(size.count()), nullptr});
}

// A new block for the sum: the gradient may be that of another tensor too.
void Tape::AddGradient(const Tensor& to, Block gradient) const {
  if (to->gradient == nullptr) {
    to->gradient = std::move(gradient);
    return;
  }
  Block sum = Allocate<Bf16>(to->size.count());
  kernels_->Add(to->gradient->as<Bf16>(), gradient->as<Bf16>(), sum->as<Bf16>(), to->size);
  to->gradient = std::move(sum);
}

void Tape::SetFloatGradient(const Tensor& to, Block gradient) const {
  PIPESCOPE_CHECK(to->gradient == nullptr);
  kernels_->RoundFloats(gradient->as<float>(), to->size.count());
  to->gradient = std::move(gradient);
}

}  // namespace pipescope::transformer::device
