#include "sim/lowering/action_template.h"

#include <algorithm>

#include "sim/base/result.h"

namespace pipescope {
namespace {

using model::BlockWork;
using model::Phase;
using model::PhaseKind;
using schedules::ActionKind;

bool Communicates(const Phase& phase) {
  return phase.kind == PhaseKind::kDispatch || phase.kind == PhaseKind::kCombine;
}

struct WorkedBlock {
  model::Block block;
  BlockWork work;
};

std::vector<WorkedBlock> Worked(const model::StageLayout& stage, const Experiment& experiment) {
  std::vector<WorkedBlock> blocks;
  for (const model::Block& block : stage.blocks) {
    blocks.push_back({block, model::WorkOf(experiment.model, experiment.shape(), block)});
  }
  return blocks;
}

// Collects operations; knows which came last on either lane.
class Builder {
 public:
  explicit Builder(PhaseCosts& costs) : costs_(costs) {}

  // From here on, whether communication's SMs are taken from the computation's.
  void SetBesideCommunication(bool beside) { beside_ = beside; }

  // Appends a phase behind `inputs` and behind its lane; a notify goes before communication.
  // Returns the operation that yields the phase's result.
  int32_t Append(const model::Block& block, const Phase& phase, std::vector<int32_t> inputs) {
    int32_t& lane = Communicates(phase) ? last_communication_ : last_compute_;
    if (lane >= 0) inputs.push_back(lane);
    if (Communicates(phase)) {
      lane = Add(costs_.Notify(phase), inputs);
      lane = Add(costs_.AllToAll(phase), {lane});
    } else {
      lane = Add(costs_.Compute(block, phase, beside_), inputs);
    }
    return lane;
  }

  // An operation without work, for an action that has none.
  int32_t AppendNothing() { return Add(costs_.Add({"no work"}, {}), {}); }

  int32_t size() const { return static_cast<int32_t>(made_.operations.size()); }
  ActionTemplate& made() { return made_; }

  ActionTemplate Finish() {
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

 private:
  int32_t Add(int32_t templ, std::vector<int32_t> after) {
    std::erase_if(after, [](int32_t i) { return i < 0; });
    std::sort(after.begin(), after.end());
    after.erase(std::unique(after.begin(), after.end()), after.end());
    made_.operations.push_back({templ, std::move(after)});
    return size() - 1;
  }

  PhaseCosts& costs_;
  bool beside_ = false;
  int32_t last_compute_ = -1;
  int32_t last_communication_ = -1;
  ActionTemplate made_;
};

// F, I, W or B alone: every phase waits for the one before.
ActionTemplate Serial(ActionKind kind, const std::vector<WorkedBlock>& blocks, PhaseCosts& costs) {
  Builder builder(costs);
  int32_t last = -1;
  int32_t gradient = -1;
  const auto run = [&](const WorkedBlock& block, const std::vector<Phase>& phases) {
    for (const Phase& phase : phases) last = builder.Append(block.block, phase, {last});
  };
  for (size_t i = 0; i < blocks.size(); ++i) {
    const bool forward = kind == ActionKind::kForward;
    const WorkedBlock& block = forward ? blocks[i] : blocks[blocks.size() - 1 - i];
    if (forward) run(block, block.work.forward);
    if (kind == ActionKind::kInputGrad || kind == ActionKind::kBackward) {
      run(block, block.work.input_grad);
      gradient = last;
    }
    if (kind == ActionKind::kWeightGrad || kind == ActionKind::kBackward) {
      run(block, block.work.weight_grad);
    }
  }
  if (last < 0) last = builder.AppendNothing();  // such as W of a stage that is only the head
  ActionTemplate& made = builder.made();
  if (kind == ActionKind::kForward) {
    made.takes_activation = 0;
    made.gives_activation = last;
  } else if (kind != ActionKind::kWeightGrad) {
    made.takes_gradient = 0;
    made.gives_gradient = gradient;
  }
  return builder.Finish();
}

const Phase* Find(const std::vector<Phase>& phases, bool communicates, bool first) {
  const Phase* found = nullptr;
  for (const Phase& phase : phases) {
    if (Communicates(phase) != communicates) continue;
    if (first) return &phase;
    found = &phase;
  }
  return found;
}

// One forward block and one backward block side by side; either may be missing.
class PairBuilder {
 public:
  explicit PairBuilder(PhaseCosts& costs) : builder_(costs) {}

  void Add(const WorkedBlock* f, const WorkedBlock* b) {
    // Where neither block communicates (embedding, head, dense layers) all SMs compute.
    builder_.SetBesideCommunication(HasMessages(f) || HasMessages(b));
    // Compute phases of a block: the one before its dispatch and the one after. A block with a
    // single phase (embedding, head) has only the first.
    const Phase* f_first = f ? Find(f->work.forward, false, true) : nullptr;
    const Phase* f_second = f ? Second(f->work.forward) : nullptr;
    const Phase* b_first = b ? Find(b->work.input_grad, false, true) : nullptr;
    const Phase* b_second = b ? Second(b->work.input_grad) : nullptr;
    const Phase* w_first = b ? Find(b->work.weight_grad, false, true) : nullptr;
    const Phase* w_second = b ? Second(b->work.weight_grad) : nullptr;
    if (b) Backward(*b, Find(b->work.input_grad, true, true));
    if (f) Forward(*f, f_first);
    if (b) Backward(*b, b_first);
    // A block without two input-gradient phases has its weight gradient after both.
    if (w_first != nullptr && b_second != nullptr) Weight(*b, w_first);
    if (f) Forward(*f, Find(f->work.forward, true, true));
    if (b && b_second != nullptr) Backward(*b, Find(b->work.input_grad, true, false));
    if (f) Forward(*f, f_second);
    if (b) Backward(*b, b_second);
    if (w_first != nullptr && b_second == nullptr) Weight(*b, w_first);
    if (b) Weight(*b, w_second);
    if (f && f_second != nullptr) Forward(*f, Find(f->work.forward, true, false));
  }

  ActionTemplate Finish() {
    builder_.made().gives_activation = forward_;
    builder_.made().gives_gradient = backward_;
    return builder_.Finish();
  }

 private:
  static bool HasMessages(const WorkedBlock* block) {
    return block != nullptr && Find(block->work.forward, true, true) != nullptr;
  }

  static const Phase* Second(const std::vector<Phase>& phases) {
    const Phase* last = Find(phases, false, false);
    return last == Find(phases, false, true) ? nullptr : last;
  }

  void Forward(const WorkedBlock& block, const Phase* phase) {
    if (phase == nullptr) return;
    const int32_t before = builder_.size();
    forward_ = builder_.Append(block.block, *phase, {forward_});
    if (builder_.made().takes_activation < 0) builder_.made().takes_activation = before;
  }

  void Backward(const WorkedBlock& block, const Phase* phase) {
    if (phase == nullptr) return;
    const int32_t before = builder_.size();
    backward_ = builder_.Append(block.block, *phase, {backward_});
    if (builder_.made().takes_gradient < 0) builder_.made().takes_gradient = before;
  }

  // Weight gradients wait for the input gradient of their phase, which came before on the lane. A
  // stage that is only the embedding has no input gradient: its weight gradient takes the input.
  void Weight(const WorkedBlock& block, const Phase* phase) {
    if (phase == nullptr) return;
    const int32_t made = builder_.Append(block.block, *phase, {});
    if (builder_.made().takes_gradient < 0) builder_.made().takes_gradient = made;
  }

  Builder builder_;
  int32_t forward_ = -1;
  int32_t backward_ = -1;
};

ActionTemplate Pair(const std::vector<WorkedBlock>& forward,
                    const std::vector<WorkedBlock>& backward, PhaseCosts& costs) {
  PairBuilder builder(costs);
  const size_t count = std::max(forward.size(), backward.size());
  for (size_t i = 0; i < count; ++i) {
    builder.Add(i < forward.size() ? &forward[i] : nullptr,
                i < backward.size() ? &backward[backward.size() - 1 - i] : nullptr);
  }
  return builder.Finish();
}

}  // namespace

ActionTemplate MakeActionTemplate(ActionKind kind, const model::StageLayout& stage,
                                  const model::StageLayout& backward_stage,
                                  const Experiment& experiment, PhaseCosts& costs) {
  const std::vector<WorkedBlock> blocks = Worked(stage, experiment);
  if (kind != ActionKind::kOverlapped) return Serial(kind, blocks, costs);
  return Pair(blocks, Worked(backward_stage, experiment), costs);
}

}  // namespace pipescope
