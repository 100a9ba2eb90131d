#include "sim/step_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "sim/flow/native_engine.h"
#include "sim/flow/simgrid_engine.h"
#include "sim/step_flow/executor.h"
#include "sim/step_flow/roles.h"

namespace pipescope {
namespace {

// What SimGrid can do in the time one waits for it.
Status CheckSimGrid(const Experiment& e, Fidelity fidelity) {
  if (fidelity != Fidelity::kFlow) {
    return Fail(Error{fmt::format("engine simgrid shares links among flows; fidelity {} has none, "
                                  "expected --fidelity flow",
                                  NameOf(fidelity)),
                      {e.file}});
  }
  if (e.gpus() > kMostSimGridGpus) {
    return Fail(Error{fmt::format("engine simgrid takes steps of at most {} GPUs, this one has {}; "
                                  "expected engine native",
                                  kMostSimGridGpus, e.gpus()),
                      {e.file}});
  }
  if (e.communication.paths == Paths::kSpread) {
    return Fail(
        Error{"engine simgrid sends a flow one way; expected communication.paths "
              "destination, hash, least_loaded, valiant or adaptive",
              {e.file}});
  }
  return {};
}

Duration EndOf(const TaskTimes& times) {
  return times.end.empty() ? Duration() : *std::max_element(times.end.begin(), times.end.end());
}

// Of the replica that ends last.
Result<TaskTimes> RunFlows(const Experiment& e, const TaskGraph& graph, EngineKind kind,
                           LinkUse* links) {
  std::vector<Role> roles = RolesOf(graph);
  const bool simgrid = kind == EngineKind::kSimGrid;
  for (Role& role : roles) {
    if (simgrid && role.transfer == TransferKind::kMemory) role.transfer.reset();
  }
  const StepNetwork network(e, UsesMemory(roles));
  TransferTable transfers(e, graph, network,
                          simgrid ? TransferTable::Keep::kAll : TransferTable::Keep::kCommon);
  flow::NativeEngine native(network.network());
  std::optional<LinkMeter> meter;
  if (links != nullptr) meter.emplace(e, graph, network);
  LinkMeter* const metered = meter ? &*meter : nullptr;
  StepTimes times = RunStepFlows(graph, e, roles, transfers, native, simgrid ? nullptr : metered);
  if (simgrid) {
    if (transfers.partial() > 0) {
      return Fail(
          Error{"engine simgrid must know all flows beforehand; replicas of this step go apart "
                "(what_if, faults or paths), expected engine native",
                {e.file}});
    }
    flow::SimGridEngine reference(network.network(), transfers.Patterns());
    times = RunStepFlows(graph, e, roles, transfers, reference, metered);
  }
  const Duration end = EndOf(times.times);
  if (meter && end > Duration()) *links = meter->Take(end);
  return std::move(times.times);
}

}  // namespace

const char* NameOf(Fidelity fidelity) {
  switch (fidelity) {
    case Fidelity::kSchedule:
      return "schedule";
    case Fidelity::kOp:
      return "op";
    case Fidelity::kFlow:
      return "flow";
  }
  return "";
}

Status CheckRun(const Experiment& e, Fidelity fidelity, EngineKind engine) {
  if (engine == EngineKind::kSimGrid) {
    if (auto ok = CheckSimGrid(e, fidelity); !ok) return ok;
  }
  return {};
}

Result<TaskTimes> RunGraph(const Experiment& e, const TaskGraph& graph, Fidelity fidelity,
                           EngineKind engine, LinkUse* links) {
  if (fidelity == Fidelity::kFlow) return RunFlows(e, graph, engine, links);
  return RunFluid(graph);
}

}  // namespace pipescope
