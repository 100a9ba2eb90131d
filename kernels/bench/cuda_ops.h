// The operations that run on a Hopper GPU: FP8 quantisers and GEMMs at DeepSeek-V3's shapes,
// the exchange among virtual ranks, and the training operations. They can be listed without a GPU.
#pragma once

#include <vector>

#include "kernels/bench/op.h"

namespace pipescope::kernels::bench {

std::vector<Op> CudaQuantizeOps();
std::vector<Op> CudaGemmOps();
std::vector<Op> CudaExchangeOps();
std::vector<Op> CudaTrainOps();
std::vector<Op> CudaLinearOps();  // in BF16

// Work that was prepared, timed by events from cold caches; the error where it could not be.
Result<Trial> OnGpu(cuda::PreparedWork work, Flops flops, Bytes bytes);
// A copy of so many bytes, half read and half written.
TimeRuns CopyOnGpu(Bytes bytes);
// The trial beside a copy of its bytes.
Result<Trial> BesideCopyOnGpu(Result<Trial> trial);

}  // namespace pipescope::kernels::bench
