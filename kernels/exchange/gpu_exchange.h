// The exchange on GPUs that reach each other's memory: one GPU that plays all ranks, or the GPUs of
// one machine over NVLink (peer access). Rank r is on GPU r modulo their number; nodes are virtual,
// and a put over the "network" is a copy.
//
// No CUDA header is visible here; without a toolkit, and without a GPU, Make says so. Compiled and
// looked into (tests/kernels/exchange_compiled_test.py), not yet run: no GPU was at hand.
#pragma once

#include <memory>

#include "kernels/exchange/exchange.h"

namespace pipescope::kernels::exchange {

// On the first `gpus` GPUs of the machine.
Result<std::unique_ptr<Exchange>> MakeGpuExchange(const Config& config, int gpus);

}  // namespace pipescope::kernels::exchange
