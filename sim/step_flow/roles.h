// How a task of a step runs on the replicas of its rank: alone or joined, by time or by flows.
#pragma once

#include <optional>
#include <vector>

#include "sim/lowering/task_graph.h"
#include "sim/step_flow/transfers.h"

namespace pipescope {

enum class Joins : uint8_t { kNobody, kExpertGroup, kAllReplicas };

struct Role {
  Joins joins = Joins::kNobody;
  std::optional<TransferKind> transfer;  // none: it takes its time, whatever else runs
  bool computes = false;                 // a slow GPU takes longer
};

// By template. A computation is a transfer of its HBM's bytes where it might have to wait for them.
std::vector<Role> RolesOf(const TaskGraph& graph);

// Whether any computation might: else HBM needs no link.
bool UsesMemory(const std::vector<Role>& roles);

}  // namespace pipescope
