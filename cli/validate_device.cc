#include "cli/validate_device.h"

#include "kernels/device.h"
#include "kernels/transformer/device/emulation.h"
#include "kernels/transformer/device/gpu/gpu_device.h"
#include "kernels/transformer/device/gpu/gpu_model.h"
#include "kernels/transformer/device/rank.h"

namespace pipescope::cli {
namespace {

using transformer::device::DeviceRanks;
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
  explicit Cuda(std::unique_ptr<transformer::device::GpuDevice> gpu) : gpu_(std::move(gpu)) {}
  transformer::RankMaker* maker() override { return &ranks_; }

 private:
  std::unique_ptr<transformer::device::GpuDevice> gpu_;
  DeviceRanks ranks_{[this](int rank) { return gpu_->Open(rank); },
                     transformer::device::CheckGpuModel};
};

}  // namespace

Result<std::unique_ptr<ValidateDevice>> ValidateDevice::Open(const std::string& name, int ranks,
                                                             int communication_sms) {
  if (name == "cpu") return std::unique_ptr<ValidateDevice>(std::make_unique<Processors>());
  if (name == "emulated") return std::unique_ptr<ValidateDevice>(std::make_unique<Emulated>());
  auto gpu = transformer::device::GpuDevice::Make({ranks, 1, communication_sms});
  if (!gpu) return Fail("--device: '" + name + "': " + gpu.error().message);
  return std::unique_ptr<ValidateDevice>(std::make_unique<Cuda>(std::move(*gpu)));
}

std::string DeviceName(const std::string& name) {
  return name == "cuda" ? kernels::QueryDevice().name : "";
}

}  // namespace pipescope::cli
