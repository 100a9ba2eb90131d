// Device memory that frees itself, and CUDA's errors as ours.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "sim/base/result.h"

namespace pipescope::kernels::exchange {

inline Status Cuda(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return {};
  return Fail(std::string("CUDA: ") + what + ": " + cudaGetErrorString(status));
}

// Bytes on one GPU.
class GpuBytes {
 public:
  GpuBytes() = default;
  GpuBytes(GpuBytes&& other) noexcept { *this = std::move(other); }
  GpuBytes& operator=(GpuBytes&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(gpu_, other.gpu_);
    return *this;
  }
  ~GpuBytes() {
    if (data_ == nullptr) return;
    cudaSetDevice(gpu_);
    cudaFree(data_);
  }

  // At least `size` bytes, all of `fill`; keeps memory that is large enough.
  Status Reset(int gpu, int64_t size, int fill) {
    if (auto ok = Cuda(cudaSetDevice(gpu), "a device"); !ok) return ok;
    gpu_ = gpu;
    if (size > size_ || data_ == nullptr) {
      if (data_ != nullptr) cudaFree(std::exchange(data_, nullptr));
      size_ = size < 16 ? 16 : size;
      if (auto ok = Cuda(cudaMalloc(&data_, static_cast<size_t>(size_)), "memory"); !ok) {
        data_ = nullptr;
        return ok;
      }
    }
    return Cuda(cudaMemset(data_, fill, static_cast<size_t>(size_)), "memory");
  }

  template <class T>
  Status Put(int gpu, const std::vector<T>& values) {
    const int64_t bytes = static_cast<int64_t>(values.size() * sizeof(T));
    if (auto ok = Reset(gpu, bytes, 0); !ok) return ok;
    return Cuda(cudaMemcpy(data_, values.data(), static_cast<size_t>(bytes), cudaMemcpyDefault),
                "a copy to the device");
  }
  template <class T>
  Status Get(std::vector<T>* values) const {
    return Cuda(cudaMemcpy(values->data(), data_, values->size() * sizeof(T), cudaMemcpyDefault),
                "a copy from the device");
  }

  template <class T = std::byte>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  void* data_ = nullptr;
  int64_t size_ = 0;
  int gpu_ = 0;
};

}  // namespace pipescope::kernels::exchange
