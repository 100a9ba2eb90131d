// Time of a kernel on `sms` SMs: a roofline with tiles and waves.
//
//   GEMM       waves (K a + b), waves = ceil(groups ceil(M/128) ceil(N/128) / sms),
//              a = 2 128 128 / (peak per SM x main loop efficiency), b = tile overhead
//   attention  FLOPs / (peak per SM x sms x efficiency)
//   any        at least bytes / (HBM bandwidth x efficiency)
//
// Published H800 figures (DeepGEMM, 132 SMs, FP8): 4096 x 2112 x 7168 runs at 1058 TFLOPS; this
// gives 5 waves of 23.5 us, 1058 TFLOPS.
#pragma once

#include "sim/base/units.h"
#include "sim/costs/efficiencies.h"
#include "sim/model/operations.h"
#include "topology/cluster.h"

namespace pipescope::costs {

Duration KernelTime(const model::Kernel& kernel, int sms, const topology::Gpu& gpu,
                    const Efficiencies& efficiencies);

}  // namespace pipescope::costs
