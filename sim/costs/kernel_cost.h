// Time of a kernel on `sms` SMs: a roofline with tiles and waves.
//
//   GEMM       waves (K a + b), waves = ceil(groups ceil(M/128) ceil(N/128) / sms),
//              a = 2 128 128 / (peak per SM x main loop efficiency), b = tile overhead
//   attention  FLOPs / (peak per SM x sms x efficiency)
//   any        at least bytes / (HBM bandwidth x efficiency of its kind of traffic), and at least
//              the time of the smallest kernel
//
// On fewer than all SMs a kernel runs beside communication: memory-bound ones share HBM and L2 with
// it, and norms, whose grids fill all SMs exactly once, take a second wave (efficiencies.h).
//
// A processor without SMs, which a CPU is that was measured as a whole, has the roofline alone:
// max(FLOPs / peak, bytes / bandwidth).
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
