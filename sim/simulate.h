// One step, predicted: schedule, stages, costs, task graph, engine, analysis.
//
// Fidelities:
//   schedule  each action takes the time it takes alone, each hop a latency; nothing is shared
//   op        actions are operations on lanes; SMs, HBM, NVLink and NIC are shared
//   flow      every GPU, every transfer as flows over the routed fabric (sim/step_flow)
//
//   auto experiment = LoadExperiment("experiments/deepseek_v3_h800.yaml");
//   auto result = Simulate(*experiment, "dualpipe");
//   result->step_time.seconds();
//
// Who needs a step's figures only, as a sweep of thousands of steps does, asks for them alone: link
// use by time, overlap, critical path and all else that only a report shows is then not worked out,
// a third of the work at `op`.
//
//   auto figures = SimulateFigures(*experiment, "dualpipe");
//   figures->step_time.seconds();
#pragma once

#include <string>

#include "sim/base/result.h"
#include "sim/experiment/experiment.h"
#include "sim/result/result_types.h"
#include "sim/result/step_figures.h"
#include "sim/step_run.h"

namespace pipescope {

// Whether the step's interval (cost_shares.h) is found as well: some seven more runs at `op`.
enum class Interval { kNo, kYes };

// `schedule` is a family's name or a CSV file of PyTorch's IR. Fails where it cannot be built for
// the plan, does not pass the checker, or needs more memory than the GPU has (unless the
// experiment says `memory: {enforce: false}`; then `fits` tells).
Result<StepResult> Simulate(const Experiment& experiment, const std::string& schedule,
                            Fidelity fidelity = Fidelity::kOp,
                            EngineKind engine = EngineKind::kNative,
                            Interval interval = Interval::kNo);

// FiguresOf(*Simulate(experiment, schedule, fidelity)), and fails where that does.
Result<StepFigures> SimulateFigures(const Experiment& experiment, const std::string& schedule,
                                    Fidelity fidelity = Fidelity::kOp);

}  // namespace pipescope
