#include "kernels/transformer/device/parameter.h"

#include <utility>

#include "kernels/train/bf16.h"
#include "kernels/transformer/parameter.h"

namespace pipescope::transformer::device {

Parameter::Parameter(std::string name, int64_t rows, int64_t columns, double spread,
                     Kernels& kernels, Pool& pool)
    : name_(std::move(name)), size_{rows, columns}, kernels_(kernels), pool_(pool) {
  const std::vector<float> drawn = DrawWeights(name_, count(), spread);
  const auto allocate = [&](int64_t bytes) { return pool_.Allocate(bytes, kernels_); };
  master_ = allocate(4 * count());
  kernels_.Upload(master_->as<void>(), drawn.data(), 4 * count());
  used_ = allocate(2 * count());
  kernels_.Narrow(master_->as<float>(), used_->as<Bf16>(), count());
  if (spread == 0) {  // a norm's
    wide_ = allocate(4 * count());
    kernels_.Widen(used(), wide_->as<float>(), count());
  }
  gradient_ = Zeros(4 * count());
  sum_ = Zeros(8 * count());
  first_ = Zeros(2 * count());
  second_ = Zeros(2 * count());
}

Block Parameter::Zeros(int64_t bytes) {
  Block block = pool_.Allocate(bytes, kernels_);
  kernels_.Zero(block->as<void>(), bytes);
  return block;
}

void Parameter::Add(const float* gradient) {
  kernels_.AddToSum(gradient, sum_->as<double>(), count());
}

GivenSum Parameter::TakeSum() {
  GivenSum given{std::exchange(sum_, Zeros(8 * count())), nullptr, count()};
  given.ready = kernels_.Record();
  return given;
}

void Parameter::SetGradient(const std::vector<GivenSum>& sums, int32_t* inexact) {
  std::vector<const double*> pointers;
  for (const GivenSum& given : sums) {
    kernels_.Wait(given.ready);
    pointers.push_back(given.sum->as<const double>());
  }
  const auto bytes = static_cast<int64_t>(pointers.size() * sizeof(double*));
  const Block list = pool_.Allocate(bytes, kernels_);
  kernels_.Upload(list->as<void>(), pointers.data(), bytes);
  kernels_.AddSums(list->as<const double*>(), static_cast<int>(sums.size()), gradient_->as<float>(),
                   inexact, count());
  const EventPtr read = kernels_.Record();
  for (const GivenSum& given : sums) given.sum->pool->AddGuard(given.sum, read);
}

void Parameter::Update(const kernels::AdamW& adamw, int64_t step) {
  kernels_.AdamW(adamw, step, gradient_->as<float>(), master_->as<float>(), first_->as<Bf16>(),
                 second_->as<Bf16>(), used_->as<Bf16>(), count());
  if (wide_ != nullptr) kernels_.Widen(used(), wide_->as<float>(), count());
}

std::vector<float> Parameter::Read(const Block& block) const {
  std::vector<float> values(static_cast<size_t>(count()));
  kernels_.Download(values.data(), block->as<void>(), 4 * count());
  PIPESCOPE_CHECK(kernels_.Finish());
  return values;
}

}  // namespace pipescope::transformer::device
