// What can be run here: a device, its operations, its peaks.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernels/bench/op.h"

namespace pipescope::kernels::bench {

// Of both devices, whether there is one or not: what `list` shows.
std::vector<Op> AllOps();

struct Machine {
  Device device = Device::kCpu;
  std::string name;                          // "NVIDIA H200"
  int sms = 0;                               // 0 on a CPU
  std::map<std::string, std::string> facts;  // driver, versions, how peaks were measured
  std::vector<Op> ops;
};

// Fails where the device cannot be used, with the reason.
Result<Machine> OpenMachine(Device device);
Result<Peaks> MeasurePeaks(Device device);

}  // namespace pipescope::kernels::bench
