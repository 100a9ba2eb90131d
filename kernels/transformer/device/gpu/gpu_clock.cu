#include <algorithm>
#include <utility>

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
  return AnchorFirst();
}

GpuClock::~GpuClock() {
  cudaSetDevice(gpu_);
  for (cudaEvent_t event : spare_) cudaEventDestroy(event);
  for (const Anchor& anchor : anchors_) cudaEventDestroy(anchor.event);
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

// An anchor that has happened, on the stream of anchors; its time is still to be told.
Result<GpuClock::Anchor> GpuClock::NewAnchor() const {
  Anchor anchor;
  if (auto ok = Cuda(cudaEventCreate(&anchor.event), "an event"); !ok) return Fail(ok.error());
  auto ok = Cuda(cudaEventRecord(anchor.event, stream_), "an event");
  if (ok) ok = Cuda(cudaEventSynchronize(anchor.event), "an event");
  if (ok) return anchor;
  cudaEventDestroy(anchor.event);
  return Fail(ok.error());
}

Status GpuClock::AnchorFirst() {
  constexpr int kFirst = 8;
  using Seconds = std::chrono::duration<double>;
  double fastest = 1e9;
  for (int i = 0; i < kFirst; ++i) {
    const auto asked = std::chrono::steady_clock::now();
    auto anchor = NewAnchor();
    if (!anchor) return Fail(anchor.error());
    anchored_ = std::chrono::steady_clock::now();
    const double took = Seconds(anchored_ - asked).count();
    anchor->seconds = Seconds(asked.time_since_epoch()).count() + took / 2;
    if (anchors_.empty()) {
      anchors_.push_back(*anchor);
    } else {
      if (took < fastest) std::swap(anchors_.front(), *anchor);
      cudaEventDestroy(anchor->event);
    }
    fastest = std::min(fastest, took);
  }
  return {};
}

// The last anchor, or a new one where that is old.
Result<size_t> GpuClock::AnchorNow() {
  const auto now = std::chrono::steady_clock::now();
  if (now - anchored_ < kBetweenAnchors) return anchors_.size() - 1;
  auto anchor = NewAnchor();
  if (!anchor) return Fail(anchor.error());
  const auto since = Between(anchors_.back().event, anchor->event);
  if (!since) return Fail(since.error());
  anchor->seconds = anchors_.back().seconds + *since;
  anchored_ = now;
  anchors_.push_back(*anchor);
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
