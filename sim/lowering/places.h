// Which GPUs of pipeline ranks share a node: GPU i of rank r is GPU r * (GPUs of a rank) + i of the
// cluster, and nodes are filled one after the other.
//
// Example: ranks of 4 GPUs on nodes of 8, a bidirectional schedule on 4 ranks. Ranks 1 and 2 hold
// the same stages, but lie on two nodes: of the 8 GPUs that sum a gradient 4 lie to a node. Were
// there 2 ranks, all 8 would.
#pragma once

#include "sim/experiment/experiment.h"
#include "sim/lowering/task_graph.h"

namespace pipescope {

// Whether GPU i of one rank shares a node with GPU i of the other, for every i. Where only some of
// these pairs do, a message counts as one between nodes: the slowest pair decides.
bool SameNode(const Experiment& experiment, int from, int to);

// How many GPUs of a group, over all its ranks, lie to a node.
int PerNode(const Experiment& experiment, const Group& group);

}  // namespace pipescope
