// Runs a step on every GPU of the cluster, every transfer as flows over the routed fabric.
//
// The task graph is the folded one, in which a GPU stands for all replicas of its pipeline rank;
// here each task runs on each of them, on its own time:
//
//   a task starts on a replica when all it waits for have ended there
//   dispatch, combine and the notify before them start when the whole expert group is there;
//   collectives of gradients and parameters when all that hold the same are, on every rank that
//   does
//   a computation takes its time, longer where HBM is short; a slow GPU takes longer for it
//   a transfer ends for a replica when all flows that leave it and arrive at it have ended
//
// Flows share links max-min fairly (sim/flow/engine.h). Replicas of a task that start at the same
// instant are handed to the engine together, as one batch of equal flows; where a slow link or GPU
// tells them apart they go on apart. So a balanced step costs little more than a folded one, and an
// unbalanced one is exact all the same.
//
// Example: 2 ranks x 8 replicas, one of which computes at half speed: its expert group waits for it
// at every dispatch, its pipeline neighbours at every message.
#pragma once

#include <vector>

#include "sim/engine/engine.h"
#include "sim/experiment/experiment.h"
#include "sim/flow/engine.h"
#include "sim/lowering/task_graph.h"
#include "sim/step_flow/link_meter.h"
#include "sim/step_flow/roles.h"
#include "sim/step_flow/transfers.h"

namespace pipescope {

struct StepTimes {
  TaskTimes times;                     // of the replica that ends last
  int replica = 0;                     // which one that is
  std::vector<Duration> replica_ends;  // [replica] the last end of any of its tasks, on any rank
  int64_t flows = 0;                   // that moved bytes
};

// What the experiment's `what_if` says of GPUs holds. The engine must be new and of the network of
// `transfers`. `meter` counts what flows carry, where there is one. Aborts on a cyclic graph.
StepTimes RunStepFlows(const TaskGraph& graph, const Experiment& experiment,
                       const std::vector<Role>& roles, TransferTable& transfers,
                       flow::Engine& engine, LinkMeter* meter = nullptr);

}  // namespace pipescope
