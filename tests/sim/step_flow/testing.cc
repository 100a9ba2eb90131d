#include "tests/sim/step_flow/testing.h"

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

void ExpectSimGridAgrees(const Experiment& e) {
  const TaskGraph graph = LowerSchedule(e, "1f1b");
  std::vector<Role> roles = RolesOf(graph);
  for (Role& role : roles) {
    if (role.transfer == TransferKind::kMemory) role.transfer.reset();
  }
  const StepNetwork network(e, false);
  TransferTable transfers(e, graph, network, TransferTable::Keep::kAll);
  flow::NativeEngine native(network.network());
  const StepTimes ours = RunStepFlows(graph, e, roles, transfers, native);
  ASSERT_EQ(transfers.partial(), 0);
  flow::SimGridEngine reference(network.network(), transfers.Patterns());
  const StepTimes theirs = RunStepFlows(graph, e, roles, transfers, reference);
  const double end = ours.replica_ends[0].seconds();
  for (size_t t = 0; t < graph.tasks.size(); ++t) {
    ASSERT_NEAR(theirs.times.end[t].seconds(), ours.times.end[t].seconds(), 1e-6 * end) << t;
  }
}

}  // namespace pipescope
