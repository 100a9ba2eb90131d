// Both backends' launches of a GEMM whose operands are on the device.
#pragma once

#include <memory>

#include "kernels/cuda/gemm_memory.cuh"

namespace pipescope::kernels::cuda {

// A prepared launch: maps and descriptors are made once, not each time.
class GemmLaunch {
 public:
  virtual ~GemmLaunch() = default;
  virtual Status Run(cudaStream_t stream) = 0;
  virtual int sms() const = 0;
};

Result<std::unique_ptr<GemmLaunch>> PrepareOurs(const GemmCase& c, GemmMemory& memory);
Result<std::unique_ptr<GemmLaunch>> PrepareCublasLt(const GemmCase& c, GemmMemory& memory);

}  // namespace pipescope::kernels::cuda
