#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "kernels/transformer/device/gpu/gpu_device.h"
#include "kernels/transformer/device/gpu/gpu_plan.h"
#include "kernels/transformer/device/gpu/nccl_link.h"
#include "kernels/transformer/device/gpu/shared_gpu.cuh"

namespace pipescope::transformer::device {
namespace {

using kernels::exchange::Cuda;

Result<int> GpusHere() {
  int count = 0;
  if (auto ok = Cuda(cudaGetDeviceCount(&count), "ranks on a GPU"); !ok) return Fail(ok.error());
  return count;
}

Result<std::string> NameOf(int gpu) {
  cudaDeviceProp properties = {};
  const auto ok = Cuda(cudaGetDeviceProperties(&properties, gpu), "a GPU's name");
  if (!ok) return Fail(ok.error());
  return std::string(properties.name);
}

// A rank on a slower one would make another pipeline of it.
Status CheckAlike(int gpu) {
  const auto first = NameOf(0), other = NameOf(gpu);
  if (!first || !other) return Fail((first ? other : first).error());
  if (*first == *other) return {};
  return Fail("ranks on GPUs: GPU 0 is a " + *first + ", GPU " + std::to_string(gpu) + " a " +
              *other + ": expected GPUs of one kind; --gpus takes fewer");
}

// `gpu` reads and copies from the memory of `other`.
Status Reach(int gpu, int other) {
  int can = 0;
  if (auto ok = Cuda(cudaDeviceCanAccessPeer(&can, gpu, other), "peer access"); !ok) return ok;
  if (can == 0) {
    return Fail("ranks on GPUs: GPU " + std::to_string(gpu) + " cannot reach the memory of GPU " +
                std::to_string(other) + ": expected peer access, or --transport mpi");
  }
  if (auto ok = Cuda(cudaSetDevice(gpu), "a device"); !ok) return ok;
  const cudaError_t peer = cudaDeviceEnablePeerAccess(other, 0);
  if (peer != cudaErrorPeerAccessAlreadyEnabled) return Cuda(peer, "peer access between GPUs");
  cudaGetLastError();  // forgets it
  return {};
}

class Gpus : public GpuDevice {
 public:
  Gpus(std::vector<GpuPlace> ranks, int link_sms) : ranks_(std::move(ranks)), link_sms_(link_sms) {}

  Status Add(int gpu, int shares, int communication_sms) {
    gpus_.push_back(std::make_unique<SharedGpu>(gpu));
    return gpus_.back()->Start(shares, communication_sms);
  }

  // A process with one GPU has its own rank there, and one that all are held against.
  Result<RankDevice> Open(int rank) override {
    const GpuPlace place = ranks_.empty() ? GpuPlace() : ranks_[static_cast<size_t>(rank)];
    return gpus_[static_cast<size_t>(place.gpu)]->Open(place.share);
  }

  Result<std::unique_ptr<Link>> OpenLink(const LinkName& name, executor::Post& post) override {
    const auto id = ShareLinkId(name, post, kernels::exchange::NewNcclId);
    if (!id) return Fail(id.error());
    return OpenNcclLink({*id, post.rank() == name.from, link_sms_, gpus_.front()->clock()});
  }

  Result<std::string> id() const override {
    cudaDeviceProp properties = {};
    const int gpu = gpus_.front()->number();
    const auto ok = Cuda(cudaGetDeviceProperties(&properties, gpu), "a GPU's id");
    if (!ok) return Fail(ok.error());
    std::string id = "GPU-";
    for (const char byte : properties.uuid.bytes) {
      constexpr const char* kDigits = "0123456789abcdef";
      const auto value = static_cast<unsigned char>(byte);
      id += {kDigits[value / 16], kDigits[value % 16]};
    }
    return id;
  }

 private:
  const std::vector<GpuPlace> ranks_;
  const int link_sms_;
  std::vector<std::unique_ptr<SharedGpu>> gpus_;
};

}  // namespace

Result<std::unique_ptr<GpuDevice>> GpuDevice::Make(const GpuShares& shares) {
  const auto here = GpusHere();
  if (!here) return Fail(here.error());
  const auto plan = PlanGpus(shares.ranks, *here, shares.gpus);
  if (!plan) return Fail(plan.error());
  auto gpus = std::make_unique<Gpus>(plan->ranks, 0);
  for (int gpu = 0; gpu < plan->gpus; ++gpu) {
    if (auto ok = CheckAlike(gpu); !ok) return Fail(ok.error());
    if (auto ok = gpus->Add(gpu, plan->shares, shares.communication_sms); !ok) {
      return Fail(ok.error());
    }
    for (int other = 0; other < gpu; ++other) {
      if (auto ok = Reach(gpu, other); !ok) return Fail(ok.error());
      if (auto ok = Reach(other, gpu); !ok) return Fail(ok.error());
    }
  }
  return std::unique_ptr<GpuDevice>(std::move(gpus));
}

Result<std::unique_ptr<GpuDevice>> GpuDevice::MakeOwn(const OwnGpu& own) {
  // As they are where the user has set them. Eager: a kernel that is loaded at its first launch may
  // wait for the GPU to be idle, and so for a send that waits for another process.
  setenv("CUDA_DEVICE_MAX_CONNECTIONS", "32", 0);
  setenv("CUDA_MODULE_LOADING", "EAGER", 0);
  const auto here = GpusHere();
  if (!here) return Fail(here.error());
  const auto gpu = PlanOwnGpu(own.local, own.locals, *here, own.gpus);
  if (!gpu) return Fail(gpu.error());
  if (auto ok = CheckNccl(); !ok) return Fail(ok.error());
  auto gpus = std::make_unique<Gpus>(std::vector<GpuPlace>(), std::max(1, own.communication_sms));
  if (auto ok = gpus->Add(*gpu, 1, own.communication_sms); !ok) return Fail(ok.error());
  return std::unique_ptr<GpuDevice>(std::move(gpus));
}

}  // namespace pipescope::transformer::device
