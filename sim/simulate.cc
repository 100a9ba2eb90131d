#include "sim/simulate.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "sim/action_times.h"
#include "sim/assumptions.h"
#include "sim/base/quantity.h"
#include "sim/cost_shares.h"
#include "sim/costs/routing.h"
#include "sim/engine/make_timeline.h"
#include "sim/lowering/lower.h"
#include "sim/make_schedule.h"
#include "sim/memory_use.h"
#include "sim/model/layout.h"
#include "sim/resource_use.h"
#include "sim/stages.h"
#include "sim/timeline/critical_path.h"

namespace pipescope {
namespace {

// A bound on the operations of a step: what is over it would fill the memory of the machine.
Status CheckSize(const Experiment& e, const schedules::Schedule& schedule,
                 const model::Layout& layout) {
  constexpr double kMostOperations = 4e7;
  // Phases and notifies of a forward and a backward block, and what GPUs that split it send.
  const double per_block = e.parallel.tensor * e.parallel.context > 1 ? 40 : 14;
  double actions = 0;
  for (const auto& rank : schedule.actions) actions += static_cast<double>(rank.size());
  size_t blocks = 0;
  for (const model::StageLayout& stage : layout) blocks = std::max(blocks, stage.blocks.size());
  const double operations = actions * per_block * static_cast<double>(blocks);
  if (operations <= kMostOperations) return {};
  return Fail(Error{fmt::format("{} micro-batches on {} ranks may become {} operations; at most {} "
                                "are simulated",
                                schedule.microbatches, schedule.ranks, FormatCount(operations),
                                FormatCount(kMostOperations)),
                    e.places.global_batch, "training.global_batch"});
}

// The clock counts picoseconds in 64 bits, 106 days; sums over ranks must fit as well. A step takes
// at most the sum of its tasks.
Status CheckDuration(const Experiment& e, const TaskGraph& graph) {
  constexpr double kMostSeconds = 4e6;
  double seconds = 0;
  for (const Task& task : graph.tasks) {
    seconds += graph.templates[static_cast<size_t>(task.templ)].demand.time.seconds();
  }
  if (seconds <= kMostSeconds) return {};
  return Fail(Error{fmt::format("the step's operations take {:.3g} s in all; at most {:.3g} s are "
                                "simulated: is a batch, a sequence or a figure of costs too large?",
                                seconds, kMostSeconds),
                    {e.file}});
}

// What takes most of the step, of the three things that can. Actions of fixed length do not tell
// their communication from their computation.
std::string BoundBy(const timeline::Breakdown& b, Fidelity fidelity) {
  const Duration compute =
      b.forward + b.backward_input + b.backward_weight + b.overlapped + b.optimizer;
  if (compute >= b.exposed_communication && compute >= b.bubble) {
    return fidelity == Fidelity::kSchedule ? "its actions" : "computation";
  }
  return b.exposed_communication >= b.bubble ? "exposed communication" : "pipeline bubble";
}

void AddRates(const Experiment& e, StepResult& r) {
  const double seconds = r.step_time.seconds();
  const double tokens = static_cast<double>(e.training.global_batch * e.training.sequence_length);
  r.tokens_per_second = tokens / seconds;
  r.tokens_per_day = r.tokens_per_second * 86400;
  const double peak = e.cluster.gpu.bf16.value() * e.gpus();
  const auto share = [&](bool causal) {
    const Flops flops = model::TrainingFlopsPerToken(e.model, e.training.sequence_length, causal);
    return r.tokens_per_second * flops.value() / peak;
  };
  r.mfu_causal = share(true);
  r.mfu_non_causal = share(false);
}

std::string PlanText(const Experiment& e) {
  const auto part = [](const char* name, int gpus) {
    return gpus > 1 ? fmt::format(" x {}{}", name, gpus) : "";
  };
  return fmt::format("PP{} x DP{}{}{}, EP{}, ZeRO-{}, {}, {} micro-batches of {} x {} tokens",
                     e.parallel.pipeline, e.parallel.data, part("TP", e.parallel.tensor),
                     part("CP", e.parallel.context), e.parallel.expert, e.parallel.zero_stage,
                     e.training.fp8 ? "FP8" : "BF16", e.microbatches(), e.training.micro_batch_size,
                     e.training.sequence_length);
}

// A step made ready to run.
struct Step {
  MadeSchedule made;
  Stages stages;
  costs::Spread spread;
  TaskGraph graph;
};

Result<Step> MakeStep(const Experiment& e, const std::string& name, Fidelity fidelity,
                      EngineKind engine) {
  if (auto ok = CheckRun(e, fidelity, engine); !ok) return Fail(ok.error());
  auto made = MakeSchedule(e, name);
  if (!made) return Fail(made.error());
  auto stages = ChooseLayout(e, made->schedule.stages);
  if (!stages) return Fail(stages.error());
  auto spread = costs::SpreadOf(e.model, e.parallel.expert, e.cluster.node.gpus);
  if (!spread) return Fail(Error{spread.error().message, e.places.expert, "parallel.expert"});
  Step step{*std::move(made), *std::move(stages), *spread, {}};
  const schedules::Schedule& schedule = step.made.schedule;
  const model::Layout& layout = step.stages.layout;
  if (auto size = CheckSize(e, schedule, layout); !size) return Fail(size.error());
  std::optional<FixedTimes> fixed;
  if (fidelity == Fidelity::kSchedule) fixed = FixedTimesOf(e, layout, *spread, schedule);
  step.graph = Lower(e, schedule, layout, *spread, fixed ? &*fixed : nullptr);
  if (auto duration = CheckDuration(e, step.graph); !duration) return Fail(duration.error());
  return step;
}

// What the task graph tells of itself and its run; before AddFigures takes it.
void AddCosts(const Experiment& e, const TaskGraph& graph, const TaskTimes& times,
              Fidelity fidelity, Interval interval, StepResult& r) {
  r.costs = CostSharesOf(graph);
  r.measured_costs = !e.sources().empty() || e.stage_scale.measured;
  if (fidelity == Fidelity::kSchedule) return;
  if (interval == Interval::kYes) r.costs.spread = SpreadOfStep(graph);
  constexpr int kSlices = 160;  // of a heatmap: one is some pixels wide
  r.resources = ResourceUseOf(graph, times, kSlices);
}

// The timeline, and what FiguresOf reads. Fails where the step needs more memory than there is.
Status AddFigures(const Experiment& e, const std::string& name, Step& step, const TaskTimes& times,
                  Fidelity fidelity, StepResult& r) {
  const model::Layout& layout = step.stages.layout;
  r.timeline = MakeTimeline(std::move(step.graph), times);
  r.schedule = step.made.schedule.name;
  r.gpus = e.gpus();
  r.step_time = r.timeline.end;
  r.bubbles = timeline::FindBubbles(r.timeline);
  r.breakdown = timeline::BreakdownByRank(r.timeline);
  r.activations = timeline::ActivationCurves(r.timeline, StageActivationsOf(e, layout));
  r.memory = MemoryByRank(e, layout, OwnershipOf(step.made.schedule), r.activations);
  r.bound_by = BoundBy(r.mean_breakdown(), fidelity);
  AddRates(e, r);
  const auto fits = CheckMemory(e, name, r.memory);
  r.fits = fits.has_value();
  return e.enforce_memory ? fits : Status();
}

// What else a report shows.
void AddReport(const Experiment& e, const Step& step, Fidelity fidelity, EngineKind engine,
               StepResult& r) {
  r.experiment = e.name;
  r.fidelity = NameOf(fidelity);
  r.engine = engine == EngineKind::kSimGrid ? "simgrid" : "native";
  r.model = e.model.name;
  r.cluster = fmt::format("{} {} ({})", e.gpus(), e.cluster.gpu.name, e.cluster.name);
  r.plan = PlanText(e);
  r.layout = model::PrintLayout(step.stages.layout);
  r.microbatches = step.made.schedule.microbatches;
  r.assumptions = AssumptionsOf(e, step.spread, step.stages, step.made.made_for, fidelity);
  r.span = timeline::LongestSpan(r.timeline);
  r.action_times = timeline::ActionTimesByRank(r.timeline);
  r.overlap = timeline::MeasureOverlap(r.timeline, r.bubbles);
  r.critical_path = timeline::CriticalPath(r.timeline);
}

}  // namespace

Result<StepResult> Simulate(const Experiment& e, const std::string& name, Fidelity fidelity,
                            EngineKind engine, Interval interval) {
  auto step = MakeStep(e, name, fidelity, engine);
  if (!step) return Fail(step.error());
  StepResult r;
  const auto times = RunGraph(e, step->graph, fidelity, engine, &r.links);
  if (!times) return Fail(times.error());
  AddCosts(e, step->graph, *times, fidelity, interval, r);
  if (auto ok = AddFigures(e, name, *step, *times, fidelity, r); !ok) return Fail(ok.error());
  AddReport(e, *step, fidelity, engine, r);
  return r;
}

Result<StepFigures> SimulateFigures(const Experiment& e, const std::string& name,
                                    Fidelity fidelity) {
  constexpr EngineKind kEngine = EngineKind::kNative;
  auto step = MakeStep(e, name, fidelity, kEngine);
  if (!step) return Fail(step.error());
  const auto times = RunGraph(e, step->graph, fidelity, kEngine);
  if (!times) return Fail(times.error());
  StepResult r;
  if (auto ok = AddFigures(e, name, *step, *times, fidelity, r); !ok) return Fail(ok.error());
  return FiguresOf(r);
}

}  // namespace pipescope
