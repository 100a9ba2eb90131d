#include <cuda_runtime.h>

#include "kernels/device.h"

namespace pipescope::kernels {
namespace {

__global__ void Nothing() {}

// Whether a call went well; else notes what and why.
bool Ok(cudaError_t status, const char* what, DeviceInfo& info) {
  if (status == cudaSuccess) return true;
  info.note = std::string(what) + ": " + cudaGetErrorString(status);
  return false;
}

}  // namespace

DeviceInfo QueryDevice() {
  DeviceInfo info;
  info.compiled_in = true;
  info.runtime_version = CUDART_VERSION;
  int count = 0;
  if (!Ok(cudaGetDeviceCount(&count), "no device", info)) return info;
  if (count == 0) {
    info.note = "no device";
    return info;
  }
  cudaDeviceProp properties = {};
  if (!Ok(cudaDriverGetVersion(&info.driver_version), "no driver", info)) return info;
  if (!Ok(cudaGetDeviceProperties(&properties, 0), "device 0", info)) return info;
  info.name = properties.name;
  info.sms = properties.multiProcessorCount;
  info.compute_major = properties.major;
  info.compute_minor = properties.minor;
  info.memory_bytes = static_cast<int64_t>(properties.totalGlobalMem);
  Nothing<<<1, 1>>>();
  if (!Ok(cudaGetLastError(), "kernel launch", info)) return info;
  if (!Ok(cudaDeviceSynchronize(), "kernel run", info)) return info;
  info.usable = true;
  return info;
}

}  // namespace pipescope::kernels
