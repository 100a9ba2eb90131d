#include "cli/validate_machine.h"

#include <algorithm>

#include "kernels/transformer/messages.h"

namespace pipescope::cli {
namespace {

Result<Machine> OfDevices(const ValidateGroup& group, const transformer::ModelConfig& model,
                          int ranks, executor::Crew& crew) {
  const auto hop = group.maker->MeasureHop(model, ranks, crew);
  if (!hop) return Fail(hop.error());
  Machine machine;
  machine.processors = ranks;  // each has its share of the device to itself
  machine.hop = Seconds(*hop);
  if (crew.post() != nullptr) machine.meeting = machine.hop;
  return machine;
}

Status MeasureMessages(const transformer::ModelConfig& model, bool awake, executor::Crew& crew,
                       Machine& machine) {
  const auto values = static_cast<size_t>(model.tokens * model.hidden);
  const auto hop = transformer::MeasureHop(crew, awake, values);
  if (!hop) return Fail(hop.error());
  const auto ends = transformer::MeasureEnds(crew, awake, values);
  if (!ends) return Fail(ends.error());
  machine.meeting = Seconds(*hop);
  machine.send = Seconds(ends->send);
  machine.receive = Seconds(ends->receive);
  machine.hop = Seconds(std::max(0.0, *hop - ends->send - ends->receive));
  return {};
}

}  // namespace

Result<Machine> MachineOf(const ValidateGroup& group, const transformer::ModelConfig& model,
                          const ThreadHops& hops, executor::Crew& crew) {
  const int ranks = group.ranks * group.replicas;
  if (group.maker != nullptr) return OfDevices(group, model, ranks, crew);
  Machine machine;
  machine.processors = crew.processors();
  machine.by_turns = crew.TurnsFor({}, ranks) != nullptr;
  const bool awake = machine.processors >= ranks, threads = crew.post() == nullptr;
  if (threads) {
    machine.hop = awake ? hops.awake : hops.woken;
    machine.meeting = machine.handover = hops.woken;
  } else if (Status ok = MeasureMessages(model, awake, crew, machine); !ok) {
    return Fail(ok.error());
  }
  if (machine.by_turns && (threads || crew.processes_here() == ranks)) {
    machine.wake = machine.hop;
    machine.hop = machine.meeting = machine.handover = {};
  }
  return machine;
}

}  // namespace pipescope::cli
