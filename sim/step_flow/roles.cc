#include "sim/step_flow/roles.h"

#include <algorithm>
#include <array>

namespace pipescope {
namespace {

using timeline::Lane;
using timeline::OperationKind;

Role RoleOf(const TaskTemplate& templ, const timeline::Label& label, double beside,
            double capacity) {
  const costs::Demand& demand = templ.demand;
  const bool sends = demand.nvlink.value() > 0 || demand.network_out.value() > 0;
  switch (label.kind) {
    case OperationKind::kDispatch:
    case OperationKind::kCombine:
      return {templ.group, sends ? std::optional(TransferKind::kExchange) : std::nullopt};
    case OperationKind::kMessage:
      return {templ.group, sends ? std::optional(TransferKind::kMessage) : std::nullopt};
    case OperationKind::kCollective:
      return {templ.group, sends ? std::optional(TransferKind::kCollective) : std::nullopt};
    default:
      break;
  }
  if (label.lane == Lane::kCommunication) return {templ.group, {}};  // notify
  // Computations of a GPU run one after the other, so that one which leaves HBM enough for all
  // that may run beside it takes its time, whatever does.
  const bool may_wait = templ.rates[static_cast<size_t>(Resource::kMemory)] + beside > capacity;
  return {templ.group, may_wait ? std::optional(TransferKind::kMemory) : std::nullopt, true};
}

// Of all that may run beside a computation: one operation of each other lane, and messages in and
// out in both directions.
double MemoryBesideComputation(const TaskGraph& graph) {
  std::array<double, timeline::kLanes> most = {};
  for (const TaskTemplate& templ : graph.templates) {
    const timeline::Label& label = graph.labels[static_cast<size_t>(templ.label)];
    double& lane = most[static_cast<size_t>(label.lane)];
    lane = std::max(lane, templ.rates[static_cast<size_t>(Resource::kMemory)]);
  }
  return most[static_cast<size_t>(Lane::kCommunication)] +
         most[static_cast<size_t>(Lane::kGradient)] +
         4 * most[static_cast<size_t>(Lane::kPipeline)];
}

}  // namespace

std::vector<Role> RolesOf(const TaskGraph& graph) {
  const double beside = MemoryBesideComputation(graph);
  const double capacity = graph.capacity[static_cast<size_t>(Resource::kMemory)];
  std::vector<Role> roles;
  for (const TaskTemplate& templ : graph.templates) {
    const timeline::Label& label = graph.labels[static_cast<size_t>(templ.label)];
    roles.push_back(RoleOf(templ, label, beside, capacity));
  }
  return roles;
}

bool UsesMemory(const std::vector<Role>& roles) {
  return std::any_of(roles.begin(), roles.end(),
                     [](const Role& role) { return role.transfer == TransferKind::kMemory; });
}

}  // namespace pipescope
