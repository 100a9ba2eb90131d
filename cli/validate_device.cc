#include "cli/validate_device.h"

#include "kernels/device.h"
#include "kernels/executor/agree.h"
#include "kernels/executor/post.h"
#include "kernels/transformer/device/emulation.h"
#include "kernels/transformer/device/gpu/gpu_device.h"
#include "kernels/transformer/device/gpu/gpu_model.h"
#include "kernels/transformer/device/gpu/gpu_plan.h"
#include "kernels/transformer/device/rank.h"

namespace pipescope::cli {
namespace {

using transformer::device::DeviceRanks;
using transformer::device::GpuDevice;
using transformer::device::LinkName;

class Processors : public ValidateDevice {
 public:
  transformer::RankMaker* maker() override { return nullptr; }
};

class Emulated : public ValidateDevice {
 public:
  transformer::RankMaker* maker() override { return &ranks_; }

 private:
  transformer::device::Emulation emulation_;
  DeviceRanks ranks_{[this](int rank) { return emulation_.Open(rank); }, nullptr,
                     [this](const LinkName& name, executor::Post& post) {
                       return emulation_.OpenLink(name, post);
                     }};
};

class Cuda : public ValidateDevice {
 public:
  explicit Cuda(std::unique_ptr<GpuDevice> gpu) : gpu_(std::move(gpu)) {}
  transformer::RankMaker* maker() override { return &ranks_; }

 private:
  std::unique_ptr<GpuDevice> gpu_;
  DeviceRanks ranks_{
      [this](int rank) { return gpu_->Open(rank); }, transformer::device::CheckGpuModel,
      [this](const LinkName& name, executor::Post& post) { return gpu_->OpenLink(name, post); }};
};

Result<std::unique_ptr<GpuDevice>> OpenOwnGpu(const ValidateDeviceOptions& o,
                                              executor::Crew& crew) {
  const int locals = crew.processes_here();  // processes fill machines one after the other
  auto gpu =
      GpuDevice::MakeOwn({crew.post()->rank() % locals, locals, o.gpus, o.communication_sms});
  const auto id = gpu ? (*gpu)->id() : Result<std::string>(Fail(gpu.error()));
  const Status agreed = executor::Agree(crew, id, transformer::device::CheckOwnGpus);
  if (!agreed) return Fail(agreed.error());
  return gpu;
}

}  // namespace

Result<std::unique_ptr<ValidateDevice>> ValidateDevice::Open(const ValidateDeviceOptions& o,
                                                             int ranks, executor::Crew& crew) {
  if (o.name == "cpu") return std::unique_ptr<ValidateDevice>(std::make_unique<Processors>());
  if (o.name == "emulated") return std::unique_ptr<ValidateDevice>(std::make_unique<Emulated>());
  auto gpu = crew.post() == nullptr ? GpuDevice::Make({ranks, o.gpus, o.communication_sms})
                                    : OpenOwnGpu(o, crew);
  if (!gpu) return Fail("--device: '" + o.name + "': " + gpu.error().message);
  return std::unique_ptr<ValidateDevice>(std::make_unique<Cuda>(std::move(*gpu)));
}

std::string DeviceName(const std::string& name) {
  return name == "cuda" ? kernels::QueryDevice().name : "";
}

}  // namespace pipescope::cli
