// From a folded task graph, in which one GPU stands for all of its pipeline rank, to single GPUs.
//
// GPU i of rank r becomes rank r * gpus + i of the unfolded graph, with tasks and resources of its
// own. What happens between the GPUs of a rank joins them: dispatch, combine, their notify, and the
// collectives of gradients and parameters start on a GPU only when all GPUs of the rank got there.
// All else stays with its replica; a message goes to the GPU of the same index.
//
// As long as all GPUs of a rank do the same, each of them starts and ends every task when the
// folded graph says: that is what folding assumes, and tests/sim/lowering/unfold_test.cc proves.
// The cost: gpus times the tasks, and up to gpus^2 times the edges.
#pragma once

#include "sim/lowering/task_graph.h"

namespace pipescope {

// Whether all GPUs of a rank take part together in operations of this label.
bool JoinsReplicas(const timeline::Label& label);

// The tasks of one GPU keep their order. An action's tasks stay side by side, and the actions stay
// rank by rank, so that they make a timeline like any other.
TaskGraph Unfold(const TaskGraph& folded, int gpus_per_rank);

// The number that the task of a folded graph has for GPU i of its rank.
class ReplicaNumbers {
 public:
  ReplicaNumbers(const TaskGraph& folded, int gpus_per_rank);
  int32_t Of(int32_t task, int gpu) const {
    const size_t t = static_cast<size_t>(task);
    return base_[t] + gpu * stride_[t];
  }
  int32_t OfAction(int32_t action, int gpu) const;

 private:
  const TaskGraph& folded_;
  int gpus_;
  std::vector<int32_t> base_;
  std::vector<int32_t> stride_;
};

}  // namespace pipescope
