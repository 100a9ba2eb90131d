#include <string>
#include <vector>

#include "kernels/transformer/device/gpu/cuda_kernels.cuh"
#include "kernels/transformer/device/gpu/gpu_device.h"
#include "kernels/transformer/device/gpu/green_context.cuh"

namespace pipescope::transformer::device {
namespace {

using kernels::exchange::Cuda;

// Memory of one GPU.
class GpuMemory : public Memory {
 public:
  explicit GpuMemory(int gpu) : gpu_(gpu) {}
  Result<void*> Allocate(int64_t bytes) override {
    void* data = nullptr;
    cudaError_t status = cudaSetDevice(gpu_);
    if (status == cudaSuccess) status = cudaMalloc(&data, static_cast<size_t>(bytes));
    if (auto ok = Cuda(status, "memory"); !ok) {
      cudaGetLastError();  // forgets it
      return Fail(ok.error().message + ": " + std::to_string(bytes) + " bytes");
    }
    return data;
  }
  void Free(void* data) override {
    cudaSetDevice(gpu_);
    cudaFree(data);
  }

 private:
  const int gpu_;
};

Status CheckGpus(const GpuShares& shares) {
  int count = 0;
  if (auto ok = Cuda(cudaGetDeviceCount(&count), "ranks on a GPU"); !ok) return ok;
  if (shares.gpus < 1 || shares.gpus > count || (shares.gpus > 1 && shares.gpus != shares.ranks)) {
    return Fail("ranks on GPUs: " + std::to_string(shares.ranks) + " ranks on " +
                std::to_string(shares.gpus) + " GPUs: expected one GPU, or one for each rank of " +
                "the " + std::to_string(count) + " that there are");
  }
  return {};
}

class OneGpu : public GpuDevice {
 public:
  explicit OneGpu(const GpuShares& shares)
      : shares_(shares), memory_(0), clock_(std::make_shared<GpuClock>(0)) {}

  Status Start() {
    auto contexts = MakeGreenContexts(0, shares_.ranks, shares_.communication_sms);
    if (!contexts) return Fail(contexts.error());
    contexts_ = std::move(*contexts);
    return clock_->Start();
  }

  Result<RankDevice> Open(int rank) override {
    const SmPlan& plan = contexts_->plan();
    auto compute = CudaKernels::Make(contexts_->compute(rank), plan.compute_sms(), clock_);
    if (!compute) return Fail(compute.error());
    auto communication =
        CudaKernels::Make(contexts_->communication(rank), plan.communication_sms(), clock_);
    if (!communication) return Fail(communication.error());
    return RankDevice{&memory_, std::move(*compute), std::move(*communication)};
  }
  int compute_sms() const override { return contexts_->plan().compute_sms(); }

 private:
  const GpuShares shares_;
  GpuMemory memory_;
  std::shared_ptr<GpuClock> clock_;
  std::unique_ptr<GreenContexts> contexts_;
};

// A GPU for each rank; all reach the memory of all.
class ManyGpus : public GpuDevice {
 public:
  ~ManyGpus() override {
    for (size_t gpu = 0; gpu < gpus_.size(); ++gpu) {
      cudaSetDevice(static_cast<int>(gpu));
      for (cudaStream_t stream : gpus_[gpu]->streams) {
        if (stream != nullptr) cudaStreamDestroy(stream);
      }
    }
  }

  Status Start(int count) {
    for (int gpu = 0; gpu < count; ++gpu) {
      gpus_.push_back(std::make_unique<Gpu>(gpu));
      if (auto ok = gpus_.back()->clock->Start(); !ok) return ok;
      for (cudaStream_t& stream : gpus_.back()->streams) {
        const cudaError_t made = cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
        if (auto ok = Cuda(made, "a stream"); !ok) return ok;
      }
      for (int other = 0; other < count; ++other) {
        if (auto ok = Reach(gpu, other); !ok) return ok;
      }
    }
    return Cuda(cudaDeviceGetAttribute(&sms_, cudaDevAttrMultiProcessorCount, 0), "a GPU's SMs");
  }

  Result<RankDevice> Open(int rank) override {
    Gpu& gpu = *gpus_[static_cast<size_t>(rank) % gpus_.size()];
    auto compute = CudaKernels::Make(gpu.streams[0], sms_, gpu.clock);
    if (!compute) return Fail(compute.error());
    auto communication = CudaKernels::Make(gpu.streams[1], sms_, gpu.clock);
    if (!communication) return Fail(communication.error());
    return RankDevice{&gpu.memory, std::move(*compute), std::move(*communication)};
  }
  int compute_sms() const override { return sms_; }

 private:
  struct Gpu {
    explicit Gpu(int number) : memory(number), clock(std::make_shared<GpuClock>(number)) {}
    GpuMemory memory;
    std::shared_ptr<GpuClock> clock;
    cudaStream_t streams[2] = {};
  };

  static Status Reach(int gpu, int other) {
    if (gpu == other) return {};
    if (auto ok = Cuda(cudaSetDevice(gpu), "a device"); !ok) return ok;
    const cudaError_t peer = cudaDeviceEnablePeerAccess(other, 0);
    if (peer != cudaErrorPeerAccessAlreadyEnabled) return Cuda(peer, "peer access between GPUs");
    cudaGetLastError();  // forgets it
    return {};
  }

  std::vector<std::unique_ptr<Gpu>> gpus_;
  int sms_ = 0;
};

}  // namespace

Result<std::unique_ptr<GpuDevice>> GpuDevice::Make(const GpuShares& shares) {
  if (auto ok = CheckGpus(shares); !ok) return Fail(ok.error());
  if (shares.gpus > 1) {
    auto many = std::make_unique<ManyGpus>();
    if (auto ok = many->Start(shares.gpus); !ok) return Fail(ok.error());
    return std::unique_ptr<GpuDevice>(std::move(many));
  }
  auto one = std::make_unique<OneGpu>(shares);
  if (auto ok = one->Start(); !ok) return Fail(ok.error());
  return std::unique_ptr<GpuDevice>(std::move(one));
}

}  // namespace pipescope::transformer::device
