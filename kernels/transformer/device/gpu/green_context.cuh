// Streams on some of a GPU's SMs: green contexts, by the driver's functions, asked for at run time.
#pragma once

#include <cuda.h>
#include <cuda_runtime.h>

#include <memory>
#include <vector>

#include "kernels/transformer/device/gpu/sm_plan.h"
#include "sim/base/result.h"

namespace pipescope::transformer::device {

// Owns contexts and their streams; the current device must be the one they are made for.
class GreenContexts {
 public:
  virtual ~GreenContexts() = default;
  virtual const SmPlan& plan() const = 0;
  virtual cudaStream_t compute(int rank) const = 0;
  virtual cudaStream_t communication(int rank) const = 0;
};

// Fails where the driver has no green contexts or the ranks are too many.
Result<std::unique_ptr<GreenContexts>> MakeGreenContexts(int gpu, int ranks, int communication_sms);

}  // namespace pipescope::transformer::device
