#include "kernels/transformer/packed_costs.h"

#include "kernels/executor/packed.h"

namespace pipescope::transformer {
namespace {

using executor::Packer;
using executor::Unpacker;

void Pack(const TimedAction& action, Packer& packer) {
  packer.Put(action.takes_activation);
  packer.Put(action.gives_activation);
  packer.Put(action.takes_gradient);
  packer.Put(action.gives_gradient);
  packer.Put(static_cast<uint64_t>(action.steps.size()));
  for (const TimedStep& step : action.steps) {
    packer.Put(step.label);
    packer.Put(step.lane);
    packer.PutList(step.after);
    packer.Put(step.seconds);
    packer.Put(step.alone);
    packer.Put(step.before);
  }
}

TimedAction Unpack(Unpacker& unpacker) {
  TimedAction action;
  action.takes_activation = unpacker.Get<int32_t>();
  action.gives_activation = unpacker.Get<int32_t>();
  action.takes_gradient = unpacker.Get<int32_t>();
  action.gives_gradient = unpacker.Get<int32_t>();
  action.steps.resize(unpacker.Count(2 * sizeof(double)));
  for (TimedStep& step : action.steps) {
    step.label = unpacker.Get<int32_t>();
    step.lane = unpacker.Get<timeline::Lane>();
    step.after = unpacker.GetList<int32_t>();
    step.seconds = unpacker.Get<double>();
    step.alone = unpacker.Get<double>();
    step.before = unpacker.Get<double>();
  }
  return action;
}

}  // namespace

std::string PackCosts(const RunCosts& costs) {
  Packer packer;
  packer.Put(static_cast<uint64_t>(costs.actions.size()));
  for (size_t rank = 0; rank < costs.actions.size(); ++rank) {
    packer.Put(static_cast<uint64_t>(costs.actions[rank].size()));
    for (const TimedAction& action : costs.actions[rank]) Pack(action, packer);
    Pack(costs.step_ends[rank], packer);
    packer.PutList(costs.partners[rank]);
  }
  return packer.Take();
}

void AddCosts(const std::string& bytes, RunCosts& costs) {
  Unpacker unpacker(bytes);
  const size_t ranks = unpacker.Count(1);
  for (size_t rank = 0; rank < ranks; ++rank) {
    auto& actions = costs.actions.emplace_back(unpacker.Count(1));
    for (TimedAction& action : actions) action = Unpack(unpacker);
    costs.step_ends.push_back(Unpack(unpacker));
    costs.partners.push_back(unpacker.GetList<int>());
  }
}

}  // namespace pipescope::transformer
