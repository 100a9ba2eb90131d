// How the training kernels are launched: a block a row or a thread each, as many as the GPU holds.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <string>

#include "kernels/train/cuda/train_cuda.h"
#include "kernels/train/cuda/train_kernels.cuh"

namespace pipescope::kernels::cuda {

inline constexpr int64_t kWidth = device::kWide<Bf16>;

inline Status CheckedLaunch(const char* what) {
  const cudaError_t error = cudaGetLastError();
  if (error == cudaSuccess) return {};
  return Fail(std::string(what) + ": " + cudaGetErrorString(error));
}

// Eight blocks of 256 threads fill an SM; rows beyond are taken in strides.
inline Result<int> Blocks(const char* what, int64_t wanted) {
  int device = 0, sms = 0;
  cudaError_t error = cudaGetDevice(&device);
  if (error == cudaSuccess) {
    error = cudaDeviceGetAttribute(&sms, cudaDevAttrMultiProcessorCount, device);
  }
  if (error != cudaSuccess) return Fail(std::string(what) + ": " + cudaGetErrorString(error));
  return static_cast<int>(std::min<int64_t>(wanted, int64_t{sms} * 8));
}

template <class Body>
Status OverRows(const char* what, const Body& body, Size size, Stream stream) {
  if (size.columns <= 0 || size.columns % kWidth != 0) {
    return Fail(std::string(what) + ": " + std::to_string(size.columns) +
                " columns: expected a multiple of " + std::to_string(kWidth));
  }
  if (size.rows <= 0) return {};
  const auto blocks = Blocks(what, size.rows);
  if (!blocks) return Fail(blocks.error());
  RowsKernel<<<*blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(body, size.rows);
  return CheckedLaunch(what);
}

template <class Body>
Status OverEach(const char* what, const Body& body, int64_t count, Stream stream) {
  if (count <= 0) return {};
  const auto blocks = Blocks(what, (count + kThreads - 1) / kThreads);
  if (!blocks) return Fail(blocks.error());
  EachKernel<<<*blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(body, count);
  return CheckedLaunch(what);
}

}  // namespace pipescope::kernels::cuda
