#include <cstring>

#include "kernels/exchange/nccl_library.h"
#include "kernels/transformer/device/gpu/cuda_queue.cuh"
#include "kernels/transformer/device/gpu/nccl_link.h"

namespace pipescope::transformer::device {
namespace {

using kernels::exchange::Cuda;
using kernels::exchange::LoadNccl;
using kernels::exchange::NcclLibrary;

// A stream of the highest priority, that is destroyed after all that uses it.
class Stream {
 public:
  explicit Stream(int gpu) : gpu_(gpu) {}
  ~Stream() {
    cudaSetDevice(gpu_);
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
  }
  Status Start() {
    int least = 0, greatest = 0;
    if (auto ok = Cuda(cudaSetDevice(gpu_), "a device"); !ok) return ok;
    auto ok = Cuda(cudaDeviceGetStreamPriorityRange(&least, &greatest), "a stream");
    if (!ok) return ok;
    return Cuda(cudaStreamCreateWithPriority(&stream_, cudaStreamNonBlocking, greatest),
                "a stream");
  }
  cudaStream_t get() const { return stream_; }

 private:
  const int gpu_;
  cudaStream_t stream_ = nullptr;
};

class NcclLink : public Link {
 public:
  NcclLink(const NcclLibrary& nccl, std::unique_ptr<Stream> stream, const NcclEnd& end)
      : nccl_(nccl), stream_(std::move(stream)), queue_(stream_->get(), end.clock) {}

  // After a failure the other end may never come: what still runs is ended.
  ~NcclLink() override {
    if (comm_ == nullptr) return;
    queue_.Use();
    if (queue_.status()) {
      nccl_.destroy(comm_);
    } else {
      nccl_.abort(comm_);
    }
  }

  Status Start(const NcclEnd& end) {
    ncclUniqueId unique;
    static_assert(sizeof(unique) == sizeof(end.id));
    std::memcpy(&unique, end.id.data(), sizeof(unique));
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.maxCTAs = end.ctas;
    queue_.Use();
    auto ok = nccl_.Check(nccl_.init_config(&comm_, 2, unique, end.sends ? 0 : 1, &config),
                          "a link of two ranks");
    return ok ? Connect(end.sends) : ok;
  }

  EventPtr Record() override { return queue_.Record(); }
  void Wait(const EventPtr& event) override { queue_.Wait(event); }

  Status Finish() override {
    Status done = queue_.Finish();
    if (!done) return done;
    ncclResult_t seen = ncclSuccess;
    queue_.Keep(nccl_.Check(nccl_.async_error(comm_, &seen), "a link"));
    queue_.Keep(nccl_.Check(seen, "a link"));
    return queue_.status();
  }

  void Send(const void* data, int64_t bytes) override {
    queue_.Use();
    const auto count = static_cast<size_t>(bytes);
    queue_.Keep(nccl_.Check(nccl_.send(data, count, ncclInt8, 1, comm_, queue_.stream()), "send"));
  }
  void Receive(void* data, int64_t bytes) override {
    queue_.Use();
    const auto count = static_cast<size_t>(bytes);
    queue_.Keep(
        nccl_.Check(nccl_.receive(data, count, ncclInt8, 0, comm_, queue_.stream()), "receive"));
  }

 private:
  Status Connect(bool sends) {
    void* byte = nullptr;
    if (auto ok = Cuda(cudaMalloc(&byte, 1), "memory"); !ok) return ok;
    if (sends) {
      Send(byte, 1);
    } else {
      Receive(byte, 1);
    }
    const Status done = Finish();
    cudaFree(byte);
    return done;
  }

  const NcclLibrary& nccl_;
  const std::unique_ptr<Stream> stream_;
  CudaQueue queue_;
  ncclComm_t comm_ = nullptr;
};

}  // namespace

Status CheckNccl() {
  const auto nccl = LoadNccl();
  return nccl ? Status() : Fail(nccl.error());
}

Result<std::unique_ptr<Link>> OpenNcclLink(const NcclEnd& end) {
  const auto nccl = LoadNccl();
  if (!nccl) return Fail(nccl.error());
  auto stream = std::make_unique<Stream>(end.clock->gpu());
  if (auto ok = stream->Start(); !ok) return Fail(ok.error());
  auto link = std::make_unique<NcclLink>(**nccl, std::move(stream), end);
  if (auto ok = link->Start(end); !ok) return Fail(ok.error());
  return std::unique_ptr<Link>(std::move(link));
}

}  // namespace pipescope::transformer::device
