#include "kernels/transformer/device/gpu/cuda_queue.cuh"

namespace pipescope::transformer::device {

using kernels::exchange::Cuda;

void CudaQueue::Keep(const Status& status) {
  if (status) return;
  const std::lock_guard lock(mutex_);
  if (failed_) failed_ = status;
}

Status CudaQueue::status() const {
  const std::lock_guard lock(mutex_);
  return failed_;
}

EventPtr CudaQueue::Record() {
  Use();
  Status failed;
  EventPtr event = clock_->Record(stream_, failed);
  Keep(failed);
  return event;
}

void CudaQueue::Wait(const EventPtr& event) {
  if (event == nullptr) return;  // it was refused, and its queue keeps why
  Use();
  const auto& gpu_event = static_cast<const GpuEvent&>(*event);
  Keep(Cuda(cudaStreamWaitEvent(stream_, gpu_event.get()), "waiting for an event"));
}

Status CudaQueue::Finish() {
  Use();
  Keep(Cuda(cudaStreamSynchronize(stream_), "a queue of a rank"));
  return status();
}

}  // namespace pipescope::transformer::device
