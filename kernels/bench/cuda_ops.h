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

// The work that `prepare` makes of a shape, from cold caches; beside a copy of its bytes if asked.
Result<Timed> TimeWork(const PrepareOp& prepare, const Shape& shape, int sms, Flops flops,
                       Bytes bytes, bool beside_copy);

}  // namespace pipescope::kernels::bench
