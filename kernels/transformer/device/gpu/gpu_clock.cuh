// Events of one GPU and the seconds at which they happened.
//
// CUDA tells the time between two events as a float of milliseconds: over a minute that is off by
// microseconds. So every fifth of a second of the host's an anchor is recorded on a stream that
// does nothing else, and an event's time is its anchor's and the time since then:
//
//   seconds = sum of the times between anchors, in double, + since the last one
//
// The first anchor's time is the host's (steady_clock), half-way between asking for it and having
// seen it, of the fastest of kFirst: so clocks of several GPUs agree within half of that, some
// microseconds, and those of processes as their hosts' do (executor/processes.h).
#pragma once

#include <cuda_runtime.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

#include "kernels/exchange/gpu_memory.cuh"
#include "kernels/transformer/device/queue.h"

namespace pipescope::transformer::device {

class GpuClock : public std::enable_shared_from_this<GpuClock> {
 public:
  explicit GpuClock(int gpu) : gpu_(gpu) {}
  ~GpuClock();
  Status Start();

  int gpu() const { return gpu_; }
  // Null where CUDA refuses; `failed` says why.
  EventPtr Record(cudaStream_t stream, Status& failed);

 private:
  friend class GpuEvent;
  struct Anchor {
    cudaEvent_t event = nullptr;
    double seconds = 0;
  };
  Result<Anchor> NewAnchor() const;
  Status AnchorFirst();
  Result<size_t> AnchorNow();
  cudaEvent_t Spare();
  Result<double> SecondsOf(cudaEvent_t event, size_t anchor) const;
  void Return(cudaEvent_t event);

  const int gpu_;
  cudaStream_t stream_ = nullptr;
  mutable std::mutex mutex_;
  std::vector<Anchor> anchors_;
  std::vector<cudaEvent_t> spare_;
  std::chrono::steady_clock::time_point anchored_;
};

class GpuEvent : public Event {
 public:
  GpuEvent(std::shared_ptr<GpuClock> clock, cudaEvent_t event, size_t anchor)
      : clock_(std::move(clock)), event_(event), anchor_(anchor) {}
  ~GpuEvent() override { clock_->Return(event_); }

  Result<double> Seconds() const override { return clock_->SecondsOf(event_, anchor_); }
  bool happened() const override { return cudaEventQuery(event_) != cudaErrorNotReady; }
  cudaEvent_t get() const { return event_; }

 private:
  const std::shared_ptr<GpuClock> clock_;
  const cudaEvent_t event_;
  const size_t anchor_;
};

}  // namespace pipescope::transformer::device
