// What host code around kernels shares: device memory, times by events from cold caches.
#pragma once

#include <cuda_runtime.h>

#include <vector>

#include "kernels/cuda/gpu.h"
#include "kernels/exchange/gpu_memory.cuh"

namespace pipescope::kernels::cuda {

using exchange::Cuda;
using exchange::GpuBytes;

inline constexpr int kRuns = 15;
inline constexpr int kWarmUps = 3;
inline constexpr int kPoison = 0xa5;
inline constexpr int64_t kFlushBytes = int64_t{256} << 20;  // five times an H200's L2

inline Result<int> SmsOfGpu() {
  int sms = 0;
  if (auto ok = Cuda(cudaDeviceGetAttribute(&sms, cudaDevAttrMultiProcessorCount, 0), "the GPU");
      !ok) {
    return Fail(ok.error());
  }
  return sms;
}

class Event {
 public:
  Event() { cudaEventCreate(&event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { cudaEventDestroy(event_); }
  cudaEvent_t get() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

// `launch` puts one run on the default stream; before each that counts, L2 holds other bytes.
template <class Launch>
Result<GpuTimes> TimeOnGpu(int sms, const Launch& launch, int runs = kRuns) {
  GpuBytes flush;
  if (auto ok = flush.Reset(0, kFlushBytes, 0); !ok) return Fail(ok.error());
  std::vector<Event> begin(static_cast<size_t>(runs)), end(static_cast<size_t>(runs));
  for (int i = 0; i < kWarmUps; ++i) {
    if (auto ok = launch(); !ok) return Fail(ok.error());
  }
  for (size_t i = 0; i < begin.size(); ++i) {
    cudaMemsetAsync(flush.as<void>(), static_cast<int>(i), static_cast<size_t>(kFlushBytes));
    cudaEventRecord(begin[i].get());
    if (auto ok = launch(); !ok) return Fail(ok.error());
    cudaEventRecord(end[i].get());
  }
  if (auto ok = Cuda(cudaDeviceSynchronize(), "a timed kernel"); !ok) return Fail(ok.error());
  GpuTimes times = {{}, sms};
  for (size_t i = 0; i < begin.size(); ++i) {
    float ms = 0;
    if (auto ok = Cuda(cudaEventElapsedTime(&ms, begin[i].get(), end[i].get()), "a time"); !ok) {
      return Fail(ok.error());
    }
    times.each.push_back(Milliseconds(double{ms}));
  }
  return times;
}

// Random bytes whose E4M3 values are finite, and floats near 1: what GEMMs are timed on, since a
// chip clocks higher on zeros.
Status FillCodes(const GpuBytes& bytes, int64_t count);
Status FillScales(const GpuBytes& bytes, int64_t count);
Status FillBf16(const GpuBytes& bytes, int64_t count);

}  // namespace pipescope::kernels::cuda
