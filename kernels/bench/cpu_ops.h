// The operations that run on a CPU: the truths themselves, which the executor uses too.
//
// A truth has no other truth. It is held to what defines it: codes to their nearest neighbours,
// gradients to differences of the function along random directions, permutations to their
// inverses, the exchange to a plain program that copies rows.
#pragma once

#include <vector>

#include "kernels/bench/op.h"

namespace pipescope::kernels::bench {

std::vector<Op> CpuFp8Ops();
std::vector<Op> CpuTrainOps();
std::vector<Op> CpuEndOps();  // of a model and of a step: embedding, loss, optimizer, routing
std::vector<Op> CpuExchangeOps();
// What real runs use, held to the truths: loops that vectorise; and OpenBLAS, none without it.
std::vector<Op> CpuFastOps();
std::vector<Op> CpuBlasOps();

}  // namespace pipescope::kernels::bench
