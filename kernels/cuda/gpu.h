// What the GPU does at best, measured: the 100 % that the other kernels are held against.
//
//   copy     bytes read and written by a copy of 1 GiB with 16-byte accesses, over its time
//   matrix   E4M3 multiply-adds of wgmma m64n128k32 on operands that stay in shared memory, two
//            warpgroups an SM, random values (zeros would draw less power and clock higher)
//
// No CUDA header is visible here; without a toolkit or a GPU every function says so.
#pragma once

#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/base/units.h"

namespace pipescope::kernels::cuda {

struct GpuTimes {
  std::vector<Duration> each;
  int sms = 0;
};

struct GpuPeaks {
  Bandwidth copy;
  FlopRate matrix;
};
Result<GpuPeaks> MeasureGpuPeaks();

// A copy of that many bytes, half read and half written: what a memory-bound kernel is timed
// beside.
Result<GpuTimes> TimeCopyOnGpu(Bytes bytes);

// "13.1.0"; fails where the library cannot be loaded.
Result<std::string> CublasLtVersion();

}  // namespace pipescope::kernels::cuda
