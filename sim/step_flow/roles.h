// How a task of a step runs on the GPUs of its rank: alone or in groups, by time or by flows.
#pragma once

#include <optional>
#include <vector>

#include "sim/lowering/task_graph.h"
#include "sim/step_flow/transfers.h"

namespace pipescope {

struct Role {
  Group group;                           // starts when all of it are there
  std::optional<TransferKind> transfer;  // none: it takes its time, whatever else runs
  bool computes = false;                 // a slow GPU takes longer
};

// By template. A computation is a transfer of its HBM's bytes where it might have to wait for them.
std::vector<Role> RolesOf(const TaskGraph& graph);

// Whether any computation might: else HBM needs no link.
bool UsesMemory(const std::vector<Role>& roles);

}  // namespace pipescope
