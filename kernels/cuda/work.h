// A kernel that is ready to run: its operands are on the GPU, random, and it may be launched as
// often as one likes, on any stream. What is timed alone and beside communication.
//
// No CUDA header is visible here; without a toolkit or a GPU preparing says so.
#pragma once

#include <functional>
#include <memory>

#include "kernels/cuda/gemm.h"
#include "kernels/cuda/gpu.h"
#include "kernels/cuda/quantize.h"
#include "kernels/cuda/train_case.h"

namespace pipescope::kernels::cuda {

class Work {
 public:
  virtual ~Work() = default;
  virtual Status Run(void* stream) = 0;  // a cudaStream_t
  virtual int sms() const = 0;           // that it uses when it has the GPU to itself
};
using PreparedWork = Result<std::unique_ptr<Work>>;

PreparedWork PrepareGemm(const GemmCase& c);
PreparedWork PrepareQuantize(const QuantizeCase& c);
PreparedWork PrepareTrain(const TrainCase& c);

// From cold caches, by events.
Result<GpuTimes> TimeOnGpu(Work& work);

}  // namespace pipescope::kernels::cuda
