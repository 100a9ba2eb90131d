// The constants of the analytic cost model: what real kernels reach of the hardware's peaks.
//
// Each was measured by somebody and is cited, or derived from such a measurement; none was fitted
// to a step time that pipescope predicts. An experiment may set any of them under `costs`.
#pragma once

#include <string>
#include <vector>

#include "sim/base/fields.h"
#include "sim/base/units.h"

namespace pipescope::costs {

struct Efficiencies {
  double gemm_main_loop = 0.742;                 // of an SM's matrix peak, inside a tile's K loop
  double weight_grad_main_loop = 0.422;          // the same for FP8 weight gradients
  Duration tile_overhead = Duration(2'350'000);  // filling the pipeline and storing a 128x128 tile
  double attention_forward = 0.663;              // of the SMs' BF16 peak
  double attention_backward = 0.564;
  double memory = 0.796;                         // of HBM's nominal bandwidth
  double cast = 0.645;                           // the same of kernels that quantise
  double norm = 0.604;                           // the same of norms on all SMs,
  double norm_second_wave = 1.71;                // and how much longer on fewer
  Duration small_kernel = Duration(3'000'000);   // the shortest that a kernel takes
  Duration kernel_gap = Duration(2'000'000);     // between two kernels of a stream
  double network = 0.8;                          // of a NIC's nominal rate
  Bandwidth sm_copy = GigabytesPerSecond(18.5);  // written by one communication SM
  double memory_beside = 1.08;         // memory-bound kernels beside communication, times longer
  double communication_beside = 1.42;  // dispatch and combine beside computation, times longer
  double rank_spread = 0.112;  // of ranks' times between two all-to-alls, relative (notify.h)
};

// One line of "what this prediction assumes".
struct Assumption {
  std::string name;
  std::string value;
  std::string source;
};

// Reads `costs:`; fields left out keep their defaults.
Efficiencies ReadEfficiencies(Fields fields);

// The same as YAML, all on one line and exact: "gemm_main_loop: 0.742, ...".
std::string YamlOf(const Efficiencies& efficiencies);

std::vector<Assumption> Describe(const Efficiencies& efficiencies);

}  // namespace pipescope::costs
