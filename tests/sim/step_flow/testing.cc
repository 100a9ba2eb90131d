#include "tests/sim/step_flow/testing.h"

#include <algorithm>
#include <cmath>

#include "sim/flow/native_engine.h"
#include "sim/flow/simgrid_engine.h"
#include "sim/step_flow/roles.h"

namespace pipescope {

StepTimes RunStep(const Experiment& e, const TaskGraph& graph) {
  const std::vector<Role> roles = RolesOf(graph);
  const StepNetwork network(e, UsesMemory(roles));
  TransferTable transfers(e, graph, network);
  flow::NativeEngine engine(network.network());
  return RunStepFlows(graph, e, roles, transfers, engine);
}

bool ExpectSimGridAgrees(const Experiment& e, const std::string& schedule) {
  const TaskGraph graph = LowerSchedule(e, schedule);
  std::vector<Role> roles = RolesOf(graph);
  for (Role& role : roles) {
    if (role.transfer == TransferKind::kMemory) role.transfer.reset();
  }
  const StepNetwork network(e, false);
  TransferTable transfers(e, graph, network, TransferTable::Keep::kAll);
  flow::NativeEngine native(network.network());
  const StepTimes ours = RunStepFlows(graph, e, roles, transfers, native);
  if (transfers.partial() > 0) return false;
  flow::SimGridEngine reference(network.network(), transfers.Patterns());
  const StepTimes theirs = RunStepFlows(graph, e, roles, transfers, reference);
  double apart = 0;
  for (size_t t = 0; t < graph.tasks.size(); ++t) {
    const Duration difference = theirs.times.end[t] - ours.times.end[t];
    apart = std::max(apart, std::abs(difference.seconds()));
  }
  EXPECT_LE(apart, 1e-6 * ours.replica_ends[0].seconds());
  return true;
}

}  // namespace pipescope
