// A CUDA stream as a queue (queue.h): what kernels and links on one have in common.
#pragma once

#include <cuda_runtime.h>

#include <memory>
#include <mutex>
#include <utility>

#include "kernels/transformer/device/gpu/gpu_clock.cuh"

namespace pipescope::transformer::device {

class CudaQueue {
 public:
  // The stream outlives it.
  CudaQueue(cudaStream_t stream, std::shared_ptr<GpuClock> clock)
      : stream_(stream), clock_(std::move(clock)) {}

  cudaStream_t stream() const { return stream_; }
  // Makes its GPU the current one.
  void Use() const { cudaSetDevice(clock_->gpu()); }
  EventPtr Record();
  void Wait(const EventPtr& event);
  Status Finish();
  // The first failure stays.
  void Keep(const Status& status);
  Status status() const;

 private:
  const cudaStream_t stream_;
  const std::shared_ptr<GpuClock> clock_;
  mutable std::mutex mutex_;  // of failed_
  Status failed_;
};

}  // namespace pipescope::transformer::device
