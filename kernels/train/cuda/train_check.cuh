// What the checks of training operations on a GPU share: arrays there, random inputs, comparisons.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <random>

#include "kernels/train/bf16.h"
#include "kernels/train/cuda/train_check.h"
#include "kernels/train/cuda/train_cuda.h"

namespace pipescope::kernels::cuda {

using Values = std::vector<float>;

inline constexpr float kEpsilon = 1e-6F;
inline constexpr double kBf16Allowed = 2e-5, kFp32Allowed = 1e-9;

// Memory of the GPU with a copy of `host`, or poisoned.
template <class T>
class OnGpu {
 public:
  explicit OnGpu(const std::vector<T>& host) : count_(host.size()) {
    Allocate();
    cudaMemcpy(data_, host.data(), bytes(), cudaMemcpyHostToDevice);
  }
  explicit OnGpu(size_t count) : count_(count) {  // 0xff is NaN in BF16 and FP32
    Allocate();
    cudaMemset(data_, 0xff, bytes());
  }
  OnGpu(const OnGpu&) = delete;
  OnGpu& operator=(const OnGpu&) = delete;
  ~OnGpu() { cudaFree(data_); }

  T* data() { return data_; }
  std::vector<T> Back() const {
    std::vector<T> host(count_);
    cudaMemcpy(host.data(), data_, bytes(), cudaMemcpyDeviceToHost);
    return host;
  }

 private:
  void Allocate() {
    if (cudaMalloc(&data_, bytes()) != cudaSuccess) data_ = nullptr;
  }
  size_t bytes() const { return count_ * sizeof(T); }

  T* data_ = nullptr;
  size_t count_;
};

inline std::vector<Bf16> Encoded(const Values& values) {
  std::vector<Bf16> codes(values.size());
  for (size_t i = 0; i < values.size(); ++i) codes[i].code = EncodeBf16(values[i]);
  return codes;
}

inline Values Decoded(const std::vector<Bf16>& codes) {
  Values values(codes.size());
  for (size_t i = 0; i < codes.size(); ++i) values[i] = DecodeBf16(codes[i].code);
  return values;
}

inline double Difference(const Values& x, const Values& y) {
  double xx = 0, yy = 0, xy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xx += double{x[i]} * x[i];
    yy += double{y[i]} * y[i];
    xy += double{x[i]} * y[i];
  }
  return xx + yy == 0 ? 0 : 1 - 2 * xy / (xx + yy);
}

class Checks {
 public:
  explicit Checks(uint32_t seed) : random_(seed) {}

  Result<std::vector<TrainCheck>> Take() {
    if (!status_) return Fail(status_.error());
    return std::move(checks_);
  }

 protected:
  static constexpr int64_t kRows = 1333, kColumns = 1544;  // 193 packs: lanes without work

  Values Draw(int64_t count, float scale = 1) {
    std::normal_distribution<float> value(0, scale);
    Values values(static_cast<size_t>(count));
    for (float& v : values) v = DecodeBf16(EncodeBf16(value(random_)));
    return values;
  }

  void Try(Status status) {
    if (status_ && !status) status_ = std::move(status);
    const cudaError_t error = cudaDeviceSynchronize();
    if (status_ && error != cudaSuccess) status_ = Fail(cudaGetErrorString(error));
  }
  void Add(const char* operation, const OnGpu<Bf16>& got, const Values& truth) {
    checks_.push_back({operation, Difference(Decoded(got.Back()), truth), kBf16Allowed});
  }
  void Add(const char* operation, const OnGpu<float>& got, const Values& truth) {
    checks_.push_back({operation, Difference(got.Back(), truth), kFp32Allowed});
  }

  std::mt19937 random_;
  Status status_;
  std::vector<TrainCheck> checks_;
};

// Of one operation: its forward pass and its gradients.
struct CheckGroup {
  const char* operation;
  Result<std::vector<TrainCheck>> (*run)(uint32_t seed);
};
std::vector<CheckGroup> LayerChecks();
std::vector<CheckGroup> RowChecks();

template <class Group>
Result<std::vector<TrainCheck>> RunGroup(uint32_t seed) {
  Group group(seed);
  group.Run();
  return group.Take();
}

}  // namespace pipescope::kernels::cuda
