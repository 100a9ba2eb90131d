#include <string>

#include "kernels/transformer/device/gpu/cuda_kernels.cuh"
#include "kernels/transformer/device/gpu/shared_gpu.cuh"

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

Result<RankDevice> DeviceOf(Memory& memory, CudaKernels::Made compute,
                            CudaKernels::Made communication) {
  if (!compute) return Fail(compute.error());
  if (!communication) return Fail(communication.error());
  return RankDevice{&memory, std::move(*compute), std::move(*communication)};
}

}  // namespace

SharedGpu::SharedGpu(int number)
    : number_(number),
      memory_(std::make_unique<GpuMemory>(number)),
      clock_(std::make_shared<GpuClock>(number)) {}

SharedGpu::~SharedGpu() {
  cudaSetDevice(number_);
  for (cudaStream_t stream : streams_) {
    if (stream != nullptr) cudaStreamDestroy(stream);
  }
}

Status SharedGpu::Start(int shares, int communication_sms) {
  if (auto ok = Cuda(cudaSetDevice(number_), "a device"); !ok) return ok;
  const cudaError_t asked = cudaDeviceGetAttribute(&sms_, cudaDevAttrMultiProcessorCount, number_);
  if (auto ok = Cuda(asked, "a GPU's SMs"); !ok) return ok;
  if (shares > 1) {
    auto contexts = MakeGreenContexts(number_, shares, communication_sms);
    if (!contexts) return Fail(contexts.error());
    contexts_ = std::move(*contexts);
  } else {
    for (cudaStream_t& stream : streams_) {
      const cudaError_t made = cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
      if (auto ok = Cuda(made, "a stream"); !ok) return ok;
    }
  }
  return clock_->Start();
}

Result<RankDevice> SharedGpu::Open(int share) {
  if (contexts_ == nullptr) {
    return DeviceOf(*memory_, CudaKernels::Make(streams_[0], sms_, clock_),
                    CudaKernels::Make(streams_[1], sms_, clock_));
  }
  const SmPlan& plan = contexts_->plan();
  return DeviceOf(
      *memory_, CudaKernels::Make(contexts_->compute(share), plan.compute_sms(), clock_),
      CudaKernels::Make(contexts_->communication(share), plan.communication_sms(), clock_));
}

}  // namespace pipescope::transformer::device
