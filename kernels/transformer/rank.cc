#include "kernels/transformer/rank.h"

#include <fmt/format.h>

#include <set>

#include "schedules/token.h"

namespace pipescope::transformer {
namespace {

using executor::Ports;
using executor::Step;
using executor::Steps;
using schedules::ActionKind;
using timeline::Lane;
using timeline::OperationKind;

constexpr int kPasses = 3;
constexpr int32_t kGradientsOut = kPartKinds * kPasses;
constexpr int32_t kGradientsIn = kGradientsOut + 1, kOptimizer = kGradientsOut + 2;

Lane LaneOf(PartKind kind) {
  const bool travels = kind == PartKind::kDispatch || kind == PartKind::kCombine;
  return travels ? Lane::kCommunication : Lane::kCompute;
}

std::vector<timeline::Label> MakeLabels() {
  constexpr OperationKind kKinds[kPartKinds] = {
      OperationKind::kEdge,     OperationKind::kAttention, OperationKind::kMlp,
      OperationKind::kEdge,     OperationKind::kEdge,      OperationKind::kMlp,
      OperationKind::kDispatch, OperationKind::kMlp,       OperationKind::kMlp,
      OperationKind::kCombine,  OperationKind::kMlp};
  constexpr timeline::Part kParts[kPasses] = {timeline::Part::kForward, timeline::Part::kInputGrad,
                                              timeline::Part::kWeightGrad};
  std::vector<timeline::Label> labels;
  for (int kind = 0; kind < kPartKinds; ++kind) {
    for (int pass = 0; pass < kPasses; ++pass) {
      const PartKind part = static_cast<PartKind>(kind);
      labels.push_back({fmt::format("{} {}", NameOf(part), "FIW"[pass]), kKinds[kind], LaneOf(part),
                        kParts[pass]});
    }
  }
  for (const char* name : {"gradients out", "gradients in"}) {
    labels.push_back({name, OperationKind::kCollective, Lane::kCompute, timeline::Part::kNone});
  }
  labels.push_back({"optimizer", OperationKind::kOptimizer, Lane::kCompute, timeline::Part::kNone});
  return labels;
}

Step Call(int32_t label, std::function<Status()> run) {
  return {label, Lane::kCompute, {}, std::move(run)};
}

// In turn, F first; what is left of the longer one at the end.
Steps Overlap(Steps forward, Steps backward) {
  Steps both;
  std::vector<int32_t> of_forward, of_backward;  // [step] its number in both
  const auto move = [&](Steps& from, std::vector<int32_t>& numbers, size_t i) {
    if (i >= from.list.size()) return;
    const int32_t number = static_cast<int32_t>(i), to = static_cast<int32_t>(both.list.size());
    numbers.push_back(to);
    if (from.takes_activation == number) both.takes_activation = to;
    if (from.gives_activation == number) both.gives_activation = to;
    if (from.takes_gradient == number) both.takes_gradient = to;
    if (from.gives_gradient == number) both.gives_gradient = to;
    for (int32_t& other : from.list[i].after) other = numbers[static_cast<size_t>(other)];
    both.list.push_back(std::move(from.list[i]));
  };
  for (size_t i = 0; i < std::max(forward.list.size(), backward.list.size()); ++i) {
    move(forward, of_forward, i);
    move(backward, of_backward, i);
  }
  return both;
}

}  // namespace

Rank::Rank(Training& training, const std::vector<int>& stages, const ExpertShare& share,
           std::unique_ptr<ExpertCarrier> carrier)
    : t_(training), carrier_(std::move(carrier)) {
  for (const int s : stages) {
    auto& stage = stages_[s];
    stage = std::make_unique<Stage>(t_.model, t_.text, s, t_.stages, share, carrier_.get());
    for (const Parameter* p : stage->parameters()) t_.copies.Register(p->name());
  }
}

void Rank::Cancel() {
  t_.copies.Cancel();
  if (carrier_ != nullptr) carrier_->Cancel();
}

const std::vector<timeline::Label>& Rank::labels() const {
  static const std::vector<timeline::Label> labels = MakeLabels();
  return labels;
}

Step Rank::Make(const Stage& stage, size_t part, Pass pass, std::function<void()> run) const {
  const int label = static_cast<int>(stage.kind(part)) * kPasses + static_cast<int>(pass);
  Step step = Call(label, [run = std::move(run)]() -> Status {
    run();
    return {};
  });
  step.lane = LaneOf(stage.kind(part));
  return step;
}

Batch Rank::BatchOf(int microbatch) const {
  return {(step_ - 1) * t_.microbatches + microbatch, t_.LossWeight()};
}

Steps Rank::Plan(const schedules::Action& action, Ports& ports) {
  const auto stage = [&](StageId id) -> Stage& { return *stages_.at(id.value()); };
  if (action.kind == ActionKind::kForward) {
    return Forward(stage(action.stage), action.microbatch.value(), ports);
  }
  Steps backward = Backward(stage(schedules::BackwardStage(action)), action, ports);
  if (action.kind != ActionKind::kOverlapped) return backward;
  return Overlap(Forward(stage(action.stage), action.microbatch.value(), ports),
                 std::move(backward));
}

Steps Rank::Forward(Stage& stage, int mb, Ports& ports) {
  Steps steps;
  const size_t last = stage.parts() - 1;
  for (size_t part = 0; part <= last; ++part) {
    steps.list.push_back(Make(stage, part, Pass::kForward, [=, this, &stage, &ports] {
      if (part == 0) stage.Begin(mb, BatchOf(mb), std::move(ports.activation_in));
      stage.Forward(mb, part);
      if (part == last) ports.activation_out = stage.Output(mb);
    }));
    for (const size_t from : stage.takes(part)) {
      steps.list.back().after.push_back(static_cast<int32_t>(from));
    }
  }
  steps.takes_activation = 0;
  steps.gives_activation = static_cast<int32_t>(last);
  return steps;
}

Steps Rank::Backward(Stage& stage, const schedules::Action& action, Ports& ports) {
  const int mb = schedules::BackwardMicrobatch(action).value();
  const bool input = action.kind != ActionKind::kWeightGrad;
  const bool weight = action.kind != ActionKind::kInputGrad;
  Steps steps;
  const size_t last = stage.parts() - 1;
  std::vector<std::vector<int32_t>> after(
      stage.parts());  // [part] steps of those that took from it
  for (size_t part = last + 1; part-- > 0;) {
    if (input) {
      const auto number = static_cast<int32_t>(steps.list.size());
      if (part == last) steps.takes_gradient = number;
      if (part == 0) steps.gives_gradient = number;
      steps.list.push_back(Make(stage, part, Pass::kInputGradient, [=, &stage, &ports] {
        if (part == last) stage.BeginBackward(mb, std::move(ports.gradient_in));
        stage.InputGradient(mb, part);
        if (part == 0) ports.gradient_out = stage.OutputGradient(mb);
      }));
      steps.list.back().after = std::move(after[part]);
      for (const size_t from : stage.takes(part)) after[from].push_back(number);
    }
    if (weight && LaneOf(stage.kind(part)) == Lane::kCompute) {
      steps.list.push_back(Make(stage, part, Pass::kWeightGradient, [=, &stage] {
        stage.WeightGradient(mb, part);
        if (part == 0) stage.End(mb);
      }));
    }
  }
  return steps;
}

Steps Rank::StepEnd() {
  Steps steps;
  steps.list.push_back(Call(kGradientsOut, [this]() -> Status {
    for (const auto& [s, stage] : stages_) {
      for (Parameter* p : stage->parameters()) {
        if (Status given = t_.copies.Give(p->name(), step_, p->TakeSum()); !given) return given;
      }
    }
    return {};
  }));
  steps.list.push_back(Call(kGradientsIn, [this] { return AddCopies(); }));
  steps.list.push_back(Call(kOptimizer, [this]() -> Status {
    for (const auto& [s, stage] : stages_) {
      for (Parameter* p : stage->parameters()) p->Update(t_.adamw, step_);
    }
    ++step_;
    return {};
  }));
  return steps;
}

Status Rank::AddCopies() {
  for (const auto& [s, stage] : stages_) {
    for (Parameter* p : stage->parameters()) {
      const auto sums = t_.copies.Take(p->name(), step_);
      if (!sums) return Fail(sums.error());
      if (Status set = p->SetGradient(*sums); !set) return set;
    }
  }
  return {};
}

}  // namespace pipescope::transformer
