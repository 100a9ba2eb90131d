// Arrays of BF16 as vectors of FP32 and back, for the emulation.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/train/device/block.h"

namespace pipescope::transformer::device {

inline std::vector<float> Wide(const kernels::device::Bf16* x, int64_t count) {
  std::vector<float> wide(static_cast<size_t>(count));
  for (size_t i = 0; i < wide.size(); ++i) wide[i] = kernels::device::Load(x[i]);
  return wide;
}

inline void Put(kernels::device::Bf16* to, std::span<const float> values) {
  for (const float value : values) kernels::device::Store(*to++, value);
}

template <class T>
std::span<T> Of(T* data, int64_t count) {
  return {data, static_cast<size_t>(count)};
}

}  // namespace pipescope::transformer::device
