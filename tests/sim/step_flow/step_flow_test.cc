// A step on every GPU with every flow, against the folded one where nothing tells GPUs apart, and
// against what is known where something does.
#include <memory>

#include "sim/engine/engine.h"
#include "sim/flow/native_engine.h"
#include "sim/step_flow/executor.h"
#include "sim/step_flow/roles.h"
#include "tests/sim/testing.h"

namespace pipescope {
namespace {

StepTimes RunOn(const Experiment& e, const TaskGraph& graph,
                const std::vector<double>& slowness = {}) {
  const std::vector<Role> roles = RolesOf(graph);
  const StepNetwork network(e.cluster, e.efficiencies, e.parallel.pipeline, e.parallel.data,
                            UsesMemory(roles), {.to_rail = true});
  TransferTable transfers(e, graph, network);
  flow::NativeEngine engine(network.network());
  return RunStepFlows(graph, e, roles, slowness, transfers, engine);
}

TEST(StepFlow, ABalancedStepIsTheFoldedOne) {
  for (const char* schedule : {"gpipe", "1f1b", "zb1p", "dualpipe", "dualpipev"}) {
    SCOPED_TRACE(schedule);
    const Experiment e = MakeExperiment({});
    const TaskGraph graph = LowerSchedule(e, schedule);
    const TaskTimes folded = RunFluid(graph);
    const StepTimes all = RunOn(e, graph);
    const double end = std::max_element(folded.end.begin(), folded.end.end())->seconds();
    EXPECT_NEAR(all.replica_ends[0].seconds() / end, 1, 1e-3);
    for (const Duration other : all.replica_ends) EXPECT_EQ(other, all.replica_ends[0]);
    double worst = 0;
    for (size_t t = 0; t < folded.end.size(); ++t) {
      worst = std::max(worst, std::abs(all.times.end[t].seconds() - folded.end[t].seconds()) / end);
    }
    std::printf("%s worst %g flows %ld end %g %g\n", schedule, worst, (long)all.flows, end,
                all.replica_ends[0].seconds());
  }
}

}  // namespace
}  // namespace pipescope
