#include "sim/lowering/action_builder.h"

#include <algorithm>
#include <utility>

namespace pipescope {
namespace {

using model::Phase;
using model::PhaseKind;

// Whether a phase may run while an input gradient's rows are still being scattered.
bool OnlyWeights(const Phase& phase) {
  return std::any_of(phase.kernels.begin(), phase.kernels.end(), [](const model::Kernel& kernel) {
    return kernel.pass == model::Pass::kWeightGrad;
  });
}

// Waits for what was sent beside computation as well.
void Join(std::vector<int32_t>& sent, std::vector<int32_t>& inputs) {
  inputs.insert(inputs.end(), sent.begin(), sent.end());
  sent.clear();
}

}  // namespace

bool Communicates(const Phase& phase) {
  return phase.kind == PhaseKind::kDispatch || phase.kind == PhaseKind::kCombine;
}

int32_t ActionBuilder::Append(const model::Block& block, const Phase& phase,
                              std::vector<int32_t> inputs) {
  int32_t& lane = Communicates(phase) ? last_communication_ : last_compute_;
  if (lane >= 0) inputs.push_back(lane);
  if (Communicates(phase)) {
    if (costs_.notifies()) {
      inputs = {Add(-1, inputs)};  // how long it takes is known when all computation is
      notifies_.emplace_back(inputs.front(), &phase);
    }
    lane = Add(costs_.AllToAll(phase, beside_), inputs);
  } else if (model::Computes(phase)) {
    if (!std::exchange(gather_is_new_, false)) Join(gathers_, inputs);
    if (!OnlyWeights(phase)) Join(scatters_, inputs);
    lane = Add(costs_.Compute(block, phase, beside_), inputs);
    // What routing spreads, and what the spread was measured on; dense layers take all ranks alike.
    if (block.kind == model::BlockKind::kMoeLayer) {
      computed_ += costs_.TimeOf(made_.operations.back().templ);
    }
  } else if (phase.beside && costs_.overlaps_tensor()) {
    gather_is_new_ = phase.kind == PhaseKind::kGather;
    (gather_is_new_ ? gathers_ : scatters_).push_back(Add(costs_.Send(phase), inputs));
  } else {
    Join(gathers_, inputs);
    Join(scatters_, inputs);
    lane = Add(costs_.Send(phase), inputs);
  }
  return lane;
}

ActionTemplate ActionBuilder::Finish() {
  const auto count = static_cast<int64_t>(std::max<size_t>(notifies_.size(), 1));
  for (const auto& [operation, phase] : notifies_) {
    made_.operations[static_cast<size_t>(operation)].templ =
        costs_.Notify(*phase, Duration(computed_.picoseconds() / count));
  }
  std::vector<bool> waited_for(made_.operations.size(), false);
  for (size_t i = 0; i < made_.operations.size(); ++i) {
    if (made_.operations[i].after.empty()) made_.roots.push_back(static_cast<int32_t>(i));
    for (const int32_t before : made_.operations[i].after) {
      waited_for[static_cast<size_t>(before)] = true;
    }
  }
  for (size_t i = 0; i < waited_for.size(); ++i) {
    if (!waited_for[i]) made_.sinks.push_back(static_cast<int32_t>(i));
  }
  return std::move(made_);
}

int32_t ActionBuilder::Add(int32_t templ, std::vector<int32_t> after) {
  std::erase_if(after, [](int32_t i) { return i < 0; });
  std::sort(after.begin(), after.end());
  after.erase(std::unique(after.begin(), after.end()), after.end());
  made_.operations.push_back({templ, std::move(after)});
  return size() - 1;
}

}  // namespace pipescope
