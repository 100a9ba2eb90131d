#include "sim/lowering/action_template.h"

#include <algorithm>
#include <span>

#include "sim/lowering/action_builder.h"

namespace pipescope {
namespace {

using model::BlockWork;
using model::Phase;
using model::PhaseKind;
using schedules::ActionKind;

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

// F, I, W or B alone: every phase waits for the one before, but for those that run beside others.
class SerialBuilder {
 public:
  SerialBuilder(ActionKind kind, PhaseCosts& costs) : kind_(kind), builder_(costs) {}

  void Add(const WorkedBlock& block) {
    if (kind_ == ActionKind::kForward) Run(block, block.work.forward);
    if (kind_ == ActionKind::kBackward) Backward(block);
    if (kind_ == ActionKind::kInputGrad) {
      Run(block, block.work.again);
      Run(block, block.work.input_grad);
      gradient_ = last_;
    }
    if (kind_ == ActionKind::kWeightGrad) Run(block, block.work.weight_grad);
  }

  ActionTemplate Finish() {
    if (last_ < 0) last_ = builder_.AppendNothing();  // such as W of a stage that is only the head
    ActionTemplate& made = builder_.made();
    if (kind_ == ActionKind::kForward) {
      made.takes_activation = 0;
      made.gives_activation = last_;
    } else if (kind_ != ActionKind::kWeightGrad) {
      made.takes_gradient = 0;
      made.gives_gradient = gradient_;
    }
    return builder_.Finish();
  }

 private:
  void Run(const WorkedBlock& block, std::span<const Phase> phases) {
    for (const Phase& phase : phases) last_ = builder_.Append(block.block, phase, {last_});
  }

  // Weight gradients come after the block's input gradients, but where a scatter wants something
  // to run beside it: then the next of them, which as a rule is of the same layer, comes at once.
  void Backward(const WorkedBlock& block) {
    const std::vector<Phase>& weights = block.work.weight_grad;
    size_t next = 0;
    Run(block, block.work.again);
    for (const Phase& phase : block.work.input_grad) {
      Run(block, {&phase, 1});
      const bool scatters = phase.kind == PhaseKind::kScatter && phase.beside;
      if (scatters && next < weights.size()) Run(block, {&weights[next++], 1});
    }
    gradient_ = last_;
    Run(block, std::span(weights).subspan(next));
  }

  ActionKind kind_;
  ActionBuilder builder_;
  int32_t last_ = -1;
  int32_t gradient_ = -1;
};

ActionTemplate Serial(ActionKind kind, const std::vector<WorkedBlock>& blocks, PhaseCosts& costs) {
  SerialBuilder builder(kind, costs);
  for (size_t i = 0; i < blocks.size(); ++i) {
    builder.Add(kind == ActionKind::kForward ? blocks[i] : blocks[blocks.size() - 1 - i]);
  }
  return builder.Finish();
}

// A pass in two halves, attention and MLP: what comes before and after the message between them, or
// before and after the kind of work changes. A block of one kind (embedding, head) has only the
// first half. Tensor-parallel messages stay with the half that they follow.
struct Halves {
  std::vector<const Phase*> first, second;
  const Phase* first_message = nullptr;
  const Phase* last_message = nullptr;
};

Halves HalvesOf(const std::vector<Phase>& phases) {
  Halves halves;
  const Phase* computed = nullptr;  // the first that computes
  bool second = false;
  for (const Phase& phase : phases) {
    if (Communicates(phase)) {
      if (halves.first_message == nullptr) halves.first_message = &phase;
      halves.last_message = &phase;
      second = !halves.first.empty();
      continue;
    }
    if (model::Computes(phase)) {
      if (computed == nullptr) computed = &phase;
      second = second || phase.kind != computed->kind;
    }
    (second ? halves.second : halves.first).push_back(&phase);
  }
  return halves;
}

// One forward block and one backward block side by side; either may be missing.
class PairBuilder {
 public:
  explicit PairBuilder(PhaseCosts& costs) : builder_(costs) {}

  void Add(const WorkedBlock* f, const WorkedBlock* b) {
    const Halves forward = f ? HalvesOf(f->work.forward) : Halves();
    const Halves backward = b ? HalvesOf(b->work.input_grad) : Halves();
    const Halves weight = b ? HalvesOf(b->work.weight_grad) : Halves();
    // Where neither block communicates (embedding, head, dense layers) all SMs compute.
    builder_.SetBesideCommunication(forward.first_message != nullptr ||
                                    backward.first_message != nullptr);
    // A block without two input-gradient halves has its weight gradient after both.
    const bool two = !backward.second.empty();
    if (b) Again(*b);
    if (b) Backward(*b, {backward.first_message});
    if (f) Forward(*f, forward.first);
    if (b) Backward(*b, backward.first);
    if (b && two) Weight(*b, weight.first);
    if (f) Forward(*f, {forward.first_message});
    if (b && two) Backward(*b, {backward.last_message});
    if (f) Forward(*f, forward.second);
    if (b) Backward(*b, backward.second);
    if (b && !two) Weight(*b, weight.first);
    if (b) Weight(*b, weight.second);
    if (f && !forward.second.empty()) Forward(*f, {forward.last_message});
  }

  ActionTemplate Finish() {
    builder_.made().gives_activation = forward_;
    builder_.made().gives_gradient = backward_;
    return builder_.Finish();
  }

 private:
  void Again(const WorkedBlock& block) {
    for (const Phase& phase : block.work.again) Backward(block, {&phase});
  }

  void Forward(const WorkedBlock& block, const std::vector<const Phase*>& phases) {
    for (const Phase* phase : phases) {
      if (phase == nullptr) continue;
      const int32_t before = builder_.size();
      forward_ = builder_.Append(block.block, *phase, {forward_});
      if (builder_.made().takes_activation < 0) builder_.made().takes_activation = before;
    }
  }

  void Backward(const WorkedBlock& block, const std::vector<const Phase*>& phases) {
    for (const Phase* phase : phases) {
      if (phase == nullptr) continue;
      const int32_t before = builder_.size();
      backward_ = builder_.Append(block.block, *phase, {backward_});
      if (builder_.made().takes_gradient < 0) builder_.made().takes_gradient = before;
    }
  }

  // Weight gradients wait for the input gradient of their phase, which came before on the lane. A
  // stage that is only the embedding has no input gradient: its weight gradient takes the input.
  void Weight(const WorkedBlock& block, const std::vector<const Phase*>& phases) {
    for (const Phase* phase : phases) {
      const int32_t before = builder_.size();
      builder_.Append(block.block, *phase, {});
      if (builder_.made().takes_gradient < 0) builder_.made().takes_gradient = before;
    }
  }

  ActionBuilder builder_;
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
