// Fidelity `schedule` of an experiment is the evaluator's own with the experiment's costs, and
// where it parts from `op`.
#include "schedules/evaluate.h"
#include "schedules/registry.h"
#include "sim/action_times.h"
#include "sim/costs/routing.h"
#include "sim/simulate.h"
#include "sim/stages.h"
#include "tests/sim/testing.h"

namespace pipescope {
namespace {

using schedules::ActionKind;

// Costs by stage in picoseconds.
schedules::Costs CostsFrom(const FixedTimes& times, int stages) {
  schedules::Costs costs;
  const auto list = [&](ActionKind kind, bool mirrored) {
    schedules::CostList out;
    for (int s = 0; s < stages; ++s) {
      const auto at = times.action.find({kind, s, mirrored ? stages - 1 - s : s});
      out.push_back(at == times.action.end() ? 0 : static_cast<double>(at->second.picoseconds()));
    }
    return out;
  };
  costs.forward = list(ActionKind::kForward, false);
  costs.input_grad = list(ActionKind::kInputGrad, false);
  costs.weight_grad = list(ActionKind::kWeightGrad, false);
  costs.backward = list(ActionKind::kBackward, false);
  costs.overlapped = list(ActionKind::kOverlapped, true);
  costs.comm = static_cast<double>(times.hop.picoseconds());
  return costs;
}

TEST(FidelitySchedule, IsTheEvaluatorsTimeline) {
  const Experiment e = MakeExperiment({});
  for (const char* name :
       {"gpipe", "1f1b", "zb-h1", "zb-h2", "dualpipe", "zbv", "dualpipev", "interleaved-1f1b"}) {
    SCOPED_TRACE(name);
    const StepResult step = Must(Simulate(e, name, Fidelity::kSchedule));
    EXPECT_EQ(step.fidelity, "schedule");
    schedules::Schedule schedule =
        Must(schedules::Generate(name, {e.parallel.pipeline, e.microbatches()}));
    const auto stages = Must(ChooseLayout(e, schedule.stages));
    const auto spread = Must(costs::SpreadOf(e.model, e.parallel.expert, e.cluster.node.gpus));
    const FixedTimes times = FixedTimesOf(e, stages.layout, spread, schedule);
    const auto prepared = Must(schedules::Prepare(schedule));
    const auto timing = schedules::Evaluate(prepared, CostsFrom(times, schedule.stages));
    ASSERT_EQ(step.timeline.actions.size(), timing.start.size());
    for (size_t i = 0; i < timing.start.size(); ++i) {
      const timeline::ActionSpan& span = step.timeline.actions[i];
      ASSERT_EQ(static_cast<double>(span.start.picoseconds()), timing.start[i]) << i;
      ASSERT_EQ(static_cast<double>(span.end.picoseconds()), timing.end[i]) << i;
    }
    EXPECT_EQ(static_cast<double>(step.timeline.pipeline_end.picoseconds()), timing.makespan);
  }
}

// Both fidelities know the same work; they differ where actions share links, and in when a pair's
// results are ready.
TEST(FidelitySchedule, IsCloseToOp) {
  const Experiment e = MakeExperiment({});
  for (const char* name : {"1f1b", "zb-h1", "dualpipe", "zbv"}) {
    const double fixed = Must(Simulate(e, name, Fidelity::kSchedule)).step_time.seconds();
    const double op = Must(Simulate(e, name)).step_time.seconds();
    EXPECT_NEAR(fixed / op, 1, 0.1) << name;
  }
}

}  // namespace
}  // namespace pipescope
