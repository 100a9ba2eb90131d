// The operations that run on a Hopper GPU: FP8 quantisers and GEMMs at DeepSeek-V3's shapes,
// the exchange among virtual ranks, and the training operations. They can be listed without a GPU.
#pragma once

#include <vector>

#include "kernels/bench/op.h"

namespace pipescope::kernels::bench {

std::vector<Op> CudaQuantizeOps();
std::vector<Op> CudaGemmOps();
std::vector<Op> CudaExchangeOps();
// Checked together, not timed yet.
std::vector<Op> CudaTrainOps();

}  // namespace pipescope::kernels::bench
