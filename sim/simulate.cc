#include "sim/simulate.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "sim/action_times.h"
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

const char* WaysText(Paths paths) {
  switch (paths) {
    case Paths::kDestination:
      return "by destination";
    case Paths::kHash:
      return "by hash";
    case Paths::kSpread:
      return "all at once, in equal parts";
    case Paths::kLeastLoaded:
      return "the least loaded when a flow starts";
    case Paths::kValiant:
      return "by a switch that a hash picks, where the fabric has longer ways";
    case Paths::kAdaptive:
      return "the shortest, or a longer one where it is full, when a flow starts";
  }
  return "";
}

std::vector<costs::Assumption> Assumptions(const Experiment& e, const costs::Spread& spread,
                                           const Stages& stages, const std::string& made_for,
                                           Fidelity fidelity) {
  const size_t count = stages.layout.size();
  std::vector<costs::Assumption> list = {
      {"layers of the stages",
       stages.given ? fmt::format("the layout of {} stages", count)
                    : fmt::format("spread over {} stages by their work", count),
       stages.given ? "the experiment"
                    : fmt::format("the experiment has no layout of {} stages", count)},
      {"communication SMs beside computation",
       fmt::format("{} of {}", e.communication.sms, e.cluster.gpu.sms), "the experiment"},
      {"routing",
       fmt::format("balanced; a token's experts are on {:.2f} nodes and {:.2f} GPUs",
                   spread.token_nodes, spread.token_gpus),
       "computed from the model's expert groups (sim/costs/routing.h)"},
      {"what hides communication", "only an overlapped forward-backward pair",
       "F, I, W and B alone run their phases one after the other"},
      {"gradients",
       fmt::format("{}, {}{}", e.communication.fp32_gradients ? "FP32" : "BF16",
                   e.communication.overlap_gradients ? "reduced as soon as a stage is done"
                                                     : "reduced when the rank is done",
                   e.training.fused_gradients ? "" : ", added up by kernels of their own"),
       "the experiment"},
      {"parameters",
       e.parallel.zero_stage == 0           ? "updated by every replica"
       : e.communication.overlap_parameters ? "gathered by stage as the next step starts"
                                            : "gathered at the step's end",
       "the experiment"},
      {"MFU", "6 FLOPs a multiplied parameter and attention, of the BF16 peak",
       "without MTP and recomputation, as is usual"},
  };
  if (fidelity == Fidelity::kSchedule) {
    list.push_back({"lengths of actions and hops", "those of each alone, whatever else runs",
                    "fidelity schedule; op shares SMs, HBM, NVLink and NIC"});
  }
  if (fidelity == Fidelity::kFlow) {
    list.push_back(
        {"fabric", "every GPU and every flow, max-min fair on the links of its route",
         fmt::format("fidelity flow; ways {}{}; the times shown are of the replica that "
                     "ends last",
                     WaysText(e.communication.paths),
                     e.communication.to_rail ? ", by the NIC of the destination's rail" : "")});
  }
  if (e.stage_scale.measured) {
    list.push_back({"times of the stages",
                    "what was measured in the mean; the model says how stages differ",
                    "costs.stages of the experiment"});
  }
  if (!made_for.empty()) {
    list.push_back({"the schedule is made for", made_for,
                    "the experiment: each action alone, and what its memory leaves"});
  }
  for (costs::Assumption& a : costs::Describe(e.efficiencies)) list.push_back(std::move(a));
  return list;
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

void Analyse(const Experiment& e, const model::Layout& layout, const Ownership& own,
             Fidelity fidelity, StepResult& r) {
  r.step_time = r.timeline.end;
  r.bubbles = timeline::FindBubbles(r.timeline);
  r.span = timeline::LongestSpan(r.timeline);
  r.breakdown = timeline::BreakdownByRank(r.timeline);
  r.action_times = timeline::ActionTimesByRank(r.timeline);
  r.overlap = timeline::MeasureOverlap(r.timeline, r.bubbles);
  r.critical_path = timeline::CriticalPath(r.timeline);
  r.activations = timeline::ActivationCurves(r.timeline, StageActivationsOf(e, layout));
  r.memory = MemoryByRank(e, layout, own, r.activations);
  r.bound_by = BoundBy(r.mean_breakdown(), fidelity);
  AddRates(e, r);
}

}  // namespace

Result<StepResult> Simulate(const Experiment& e, const std::string& name, Fidelity fidelity,
                            EngineKind engine, Interval interval) {
  if (auto ok = CheckRun(e, fidelity, engine); !ok) return Fail(ok.error());
  auto made = MakeSchedule(e, name);
  if (!made) return Fail(made.error());
  const schedules::Schedule* schedule = &made->schedule;
  auto stages = ChooseLayout(e, schedule->stages);
  if (!stages) return Fail(stages.error());
  const model::Layout& layout = stages->layout;
  auto spread = costs::SpreadOf(e.model, e.parallel.expert, e.cluster.node.gpus);
  if (!spread) return Fail(Error{spread.error().message, e.places.expert, "parallel.expert"});

  if (auto size = CheckSize(e, *schedule, layout); !size) return Fail(size.error());
  std::optional<FixedTimes> fixed;
  if (fidelity == Fidelity::kSchedule) fixed = FixedTimesOf(e, layout, *spread, *schedule);
  TaskGraph graph = Lower(e, *schedule, layout, *spread, fixed ? &*fixed : nullptr);
  if (auto duration = CheckDuration(e, graph); !duration) return Fail(duration.error());
  auto run = RunGraph(e, graph, fidelity, engine);
  if (!run) return Fail(run.error());
  const TaskTimes& times = run->times;
  StepResult r;
  r.links = std::move(run->links);
  r.costs = CostSharesOf(graph);
  if (interval == Interval::kYes && fidelity != Fidelity::kSchedule) {
    r.costs.spread = SpreadOfStep(graph);
  }
  r.measured_costs = !e.sources().empty() || e.stage_scale.measured;
  constexpr int kSlices = 160;  // of a heatmap: one is some pixels wide
  if (fidelity != Fidelity::kSchedule) r.resources = ResourceUseOf(graph, times, kSlices);
  r.timeline = MakeTimeline(std::move(graph), times);
  r.experiment = e.name;
  r.schedule = schedule->name;
  r.fidelity = NameOf(fidelity);
  r.engine = engine == EngineKind::kSimGrid ? "simgrid" : "native";
  r.model = e.model.name;
  r.cluster = fmt::format("{} {} ({})", e.gpus(), e.cluster.gpu.name, e.cluster.name);
  r.plan = PlanText(e);
  r.layout = model::PrintLayout(layout);
  r.gpus = e.gpus();
  r.microbatches = schedule->microbatches;
  r.assumptions = Assumptions(e, *spread, *stages, made->made_for, fidelity);
  Analyse(e, layout, OwnershipOf(*schedule), fidelity, r);
  if (auto fits = CheckMemory(e, name, r.memory); !fits) {
    r.fits = false;
    if (e.enforce_memory) return Fail(fits.error());
  }
  return r;
}

}  // namespace pipescope
