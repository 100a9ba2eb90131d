// One GPU and the shares of it that ranks have.
#pragma once

#include <cuda_runtime.h>

#include <memory>

#include "kernels/transformer/device/gpu/gpu_clock.cuh"
#include "kernels/transformer/device/gpu/green_context.cuh"
#include "kernels/transformer/device/rank_device.h"

namespace pipescope::transformer::device {

class SharedGpu {
 public:
  explicit SharedGpu(int number);
  ~SharedGpu();
  SharedGpu(const SharedGpu&) = delete;
  SharedGpu& operator=(const SharedGpu&) = delete;

  // One share is the whole GPU, with two streams.
  Status Start(int shares, int communication_sms);
  // The queues of a share; they share its streams with those of earlier calls.
  Result<RankDevice> Open(int share);

  int number() const { return number_; }
  const std::shared_ptr<GpuClock>& clock() const { return clock_; }
  int sms() const { return sms_; }

 private:
  const int number_;
  int sms_ = 0;
  std::unique_ptr<Memory> memory_;
  std::shared_ptr<GpuClock> clock_;
  cudaStream_t streams_[2] = {};  // of a whole GPU
  std::unique_ptr<GreenContexts> contexts_;
};

}  // namespace pipescope::transformer::device
