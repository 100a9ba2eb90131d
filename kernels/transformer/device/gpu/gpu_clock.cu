#include "kernels/transformer/device/gpu/gpu_clock.cuh"

namespace pipescope::transformer::device {
namespace {

using kernels::exchange::Cuda;

constexpr std::chrono::milliseconds kBetweenAnchors{200};

Result<double> Between(cudaEvent_t from, cudaEvent_t to) {
  float milliseconds = 0;
  if (auto ok = Cuda(cudaEventElapsedTime(&milliseconds, from, to), "a time"); !ok) {
    return Fail(ok.error());
  }
  return double{milliseconds} * 1e-3;
}

}  // namespace

Status GpuClock::Start() {
  if (auto ok = Cuda(cudaSetDevice(gpu_), "a device"); !ok) return ok;
  if (auto ok = Cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "a stream"); !ok) {
    return ok;
  }
  const auto first = AnchorNow();
  return first ? Status() : Fail(first.error());
}

GpuClock::~GpuClock() {
  cudaSetDevice(gpu_);
  for (cudaEvent_t event : spare_) cudaEventDestroy(event);
  for (const Anchor& anchor : anchors_) cudaEventDestroy(anchor.event);
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

// The last anchor, or a new one where that is old. The first GPU's clock begins at 0, others when
// the host says.
Result<size_t> GpuClock::AnchorNow() {
  const auto now = std::chrono::steady_clock::now();
  if (!anchors_.empty() && now - anchored_ < kBetweenAnchors) return anchors_.size() - 1;
  Anchor anchor;
  if (auto ok = Cuda(cudaEventCreate(&anchor.event), "an event"); !ok) return Fail(ok.error());
  if (auto ok = Cuda(cudaEventRecord(anchor.event, stream_), "an event"); !ok) {
    cudaEventDestroy(anchor.event);
    return Fail(ok.error());
  }
  if (auto ok = Cuda(cudaEventSynchronize(anchor.event), "an event"); !ok) return Fail(ok.error());
  if (anchors_.empty()) {
    anchor.seconds = std::chrono::duration<double>(now.time_since_epoch()).count();
  } else {
    const auto since = Between(anchors_.back().event, anchor.event);
    if (!since) return Fail(since.error());
    anchor.seconds = anchors_.back().seconds + *since;
  }
  anchored_ = now;
  anchors_.push_back(anchor);
  return anchors_.size() - 1;
}

cudaEvent_t GpuClock::Spare() {
  cudaEvent_t event = nullptr;
  if (!spare_.empty()) {
    event = spare_.back();
    spare_.pop_back();
  } else if (cudaEventCreate(&event) != cudaSuccess) {
    return nullptr;
  }
  return event;
}

EventPtr GpuClock::Record(cudaStream_t stream, Status& failed) {
  const std::lock_guard lock(mutex_);
  const auto anchor = AnchorNow();
  cudaEvent_t event = Spare();
  if (!anchor || event == nullptr) {
    failed = anchor ? Status(Fail("CUDA: an event was refused")) : Fail(anchor.error());
    return nullptr;
  }
  auto made = std::make_shared<GpuEvent>(shared_from_this(), event, *anchor);
  failed = Cuda(cudaEventRecord(event, stream), "an event");
  return made;
}

Result<double> GpuClock::SecondsOf(cudaEvent_t event, size_t anchor) const {
  Anchor from;
  {
    const std::lock_guard lock(mutex_);
    from = anchors_[anchor];
  }
  if (auto ok = Cuda(cudaEventSynchronize(event), "a step"); !ok) return Fail(ok.error());
  const auto since = Between(from.event, event);
  if (!since) return Fail(since.error());
  return from.seconds + *since;
}

void GpuClock::Return(cudaEvent_t event) {
  const std::lock_guard lock(mutex_);
  spare_.push_back(event);
}

}  // namespace pipescope::transformer::device
