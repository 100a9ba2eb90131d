// What tells the GPUs of a step apart: what fidelity `flow` answers and `op`, in which all replicas
// are alike, cannot.
//
//   what_if:
//     slow_gpus: ["5 x 1.2"]     # GPU 5 of the cluster takes 1.2 times as long to compute
//     expert_skew: 0.3           # the i-th busiest GPU of an expert group gets (i + 1)^-0.3
//                                # of what the busiest gets: rows to take in and compute on
//
// Slow and dead NICs and links are the topology's (`faults`, topology/load.h).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/base/fields.h"

namespace pipescope {

struct WhatIf {
  std::vector<std::pair<int, double>> slow_gpus;  // GPU of the cluster, how many times as long
  double expert_skew = 0;

  bool any() const { return !slow_gpus.empty() || expert_skew > 0; }
};

WhatIf ReadWhatIf(Fields fields);

// "5 x 1.2"; nothing where it is something else.
std::optional<std::pair<int, double>> ParseSlowGpu(const std::string& text);

// The share of an expert group's rows that each of its GPUs takes in, 1 where it is the mean. Which
// one is busiest is the same on every layer and, as if by chance, another in every group.
//
// Example: 2 GPUs, skew 1: 4/3 and 2/3, in either order.
std::vector<double> ExpertLoads(double skew, int gpus, int group);

}  // namespace pipescope
