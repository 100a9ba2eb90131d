// How many times as long computations take on single GPUs (sim/experiment/what_if.h).
//
// A slow GPU takes longer for all of them. With skewed experts a GPU computes on more or fewer
// rows; the shared expert and dense layers do not change:
//   MLP of a MoE layer   1 + e (load - 1),  e = routed / (routed + shared) widths a token
#pragma once

#include <vector>

#include "sim/experiment/experiment.h"
#include "sim/lowering/task_graph.h"

namespace pipescope {

class Slowness {
 public:
  Slowness(const Experiment& experiment, const TaskGraph& graph);

  bool none() const { return gpu_.empty() && load_.empty(); }
  double Of(const Task& task, int32_t replica) const;

 private:
  const TaskGraph& graph_;
  int rank_gpus_;
  double routed_share_;
  std::vector<double> gpu_;   // of the cluster; empty: 1
  std::vector<double> load_;  // likewise
};

}  // namespace pipescope
