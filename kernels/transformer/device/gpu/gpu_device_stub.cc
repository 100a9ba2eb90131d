#include "kernels/transformer/device/gpu/gpu_device.h"

namespace pipescope::transformer::device {

Result<std::unique_ptr<GpuDevice>> GpuDevice::Make(const GpuShares&) {
  return Fail("ranks on a GPU: built without CUDA");
}

Result<std::unique_ptr<GpuDevice>> GpuDevice::MakeOwn(const OwnGpu&) {
  return Fail("ranks on a GPU: built without CUDA");
}

}  // namespace pipescope::transformer::device
