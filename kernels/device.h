// The GPU at hand, or why there is none.
//
// No CUDA header is visible here: the same header serves the build by nvcc and the one without a
// toolkit (device_stub.cc), so callers never ask which it was.
//
//   DeviceInfo device = QueryDevice();
//   if (!device.usable) std::puts(device.note.c_str());   // "built without CUDA"
#pragma once

#include <cstdint>
#include <string>

namespace pipescope::kernels {

struct DeviceInfo {
  bool compiled_in = false;  // by nvcc
  bool usable = false;       // a device is there, its driver works, our code runs on it
  std::string note;          // where not usable: why
  std::string name;
  int sms = 0;
  int compute_major = 0;
  int compute_minor = 0;
  int64_t memory_bytes = 0;
  int runtime_version = 0;  // 13000 for CUDA 13.0
  int driver_version = 0;
};

// Device 0. Launches one empty kernel: a device that our code was not compiled for is not usable.
DeviceInfo QueryDevice();

}  // namespace pipescope::kernels
