// Operands of a training operation on the GPU, made one after the other; the first failure stays.
#pragma once

#include <cstdint>
#include <list>
#include <vector>

#include "kernels/cuda/launch.cuh"
#include "kernels/train/device/block.h"

namespace pipescope::kernels::cuda {

class TrainArrays {
 public:
  using Bf16 = device::Bf16;

  // Random values below 1.
  Bf16* Values(int64_t count) {
    GpuBytes* bytes = Room(2 * count);
    if (status_) status_ = FillBf16(*bytes, count);
    return bytes->as<Bf16>();
  }
  // Random floats of 1 to 2.
  float* Floats(int64_t count) {
    GpuBytes* bytes = Room(4 * count);
    if (status_) status_ = FillScales(*bytes, count);
    return bytes->as<float>();
  }
  template <class T>
  T* Put(const std::vector<T>& values) {
    GpuBytes& bytes = all_.emplace_back();
    if (status_) status_ = bytes.Put(0, values);
    return bytes.as<T>();
  }
  const Status& status() const { return status_; }

 private:
  GpuBytes* Room(int64_t size) {
    GpuBytes& bytes = all_.emplace_back();
    if (status_) status_ = bytes.Reset(0, size, 0);
    return &bytes;
  }

  std::list<GpuBytes> all_;
  Status status_;
};

// Numbers below `end`, in no order; the same every time.
inline std::vector<int64_t> Scattered(int64_t count, int64_t end) {
  std::vector<int64_t> numbers;
  uint64_t bits = 1;
  for (int64_t i = 0; i < count; ++i) {
    bits = bits * 6364136223846793005U + 1442695040888963407U;
    numbers.push_back(static_cast<int64_t>((bits >> 33) % static_cast<uint64_t>(end)));
  }
  return numbers;
}

}  // namespace pipescope::kernels::cuda
