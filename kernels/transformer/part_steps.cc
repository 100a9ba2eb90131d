#include "kernels/transformer/part_steps.h"

#include <fmt/format.h>

#include <algorithm>

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

Lane LaneOf(PartKind kind) { return Travels(kind) ? Lane::kCommunication : Lane::kCompute; }

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

enum class Pass : uint8_t { kForward, kInputGradient, kWeightGradient };

class Planner {
 public:
  Planner(PartRunner& runner, Ports& ports) : runner_(runner), ports_(ports) {}

  Steps Forward(int stage, int mb) {
    Steps steps;
    const size_t last = runner_.parts(stage) - 1;
    for (size_t part = 0; part <= last; ++part) {
      auto run = [&runner = runner_, &ports = ports_, stage, mb, part] {
        runner.Forward(stage, mb, part, ports);
      };
      steps.list.push_back(Make(stage, part, Pass::kForward, std::move(run)));
      for (const size_t from : runner_.takes(stage, part)) {
        steps.list.back().after.push_back(static_cast<int32_t>(from));
      }
    }
    steps.takes_activation = 0;
    steps.gives_activation = static_cast<int32_t>(last);
    return steps;
  }

  // I, W or B.
  Steps Backward(const schedules::Action& action) {
    const int stage = schedules::BackwardStage(action).value();
    const int mb = schedules::BackwardMicrobatch(action).value();
    const bool input = action.kind != ActionKind::kWeightGrad;
    const bool weight = action.kind != ActionKind::kInputGrad;
    Steps steps;
    const size_t last = runner_.parts(stage) - 1;
    std::vector<std::vector<int32_t>> after(last + 1);  // [part] steps of those that took from it
    for (size_t part = last + 1; part-- > 0;) {
      if (input) {
        const auto number = static_cast<int32_t>(steps.list.size());
        if (part == last) steps.takes_gradient = number;
        if (part == 0) steps.gives_gradient = number;
        auto run = [&runner = runner_, &ports = ports_, stage, mb, part] {
          runner.InputGradient(stage, mb, part, ports);
        };
        steps.list.push_back(Make(stage, part, Pass::kInputGradient, std::move(run)));
        steps.list.back().after = std::move(after[part]);
        for (const size_t from : runner_.takes(stage, part)) after[from].push_back(number);
      }
      if (weight && !Travels(runner_.kind(stage, part))) {
        auto run = [&runner = runner_, stage, mb, part] { runner.WeightGradient(stage, mb, part); };
        steps.list.push_back(Make(stage, part, Pass::kWeightGradient, std::move(run)));
      }
    }
    return steps;
  }

 private:
  Step Make(int stage, size_t part, Pass pass, std::function<void()> run) const {
    const PartKind kind = runner_.kind(stage, part);
    const int32_t label = static_cast<int>(kind) * kPasses + static_cast<int>(pass);
    auto call = [run = std::move(run)]() -> Status {
      run();
      return {};
    };
    return {label, LaneOf(kind), {}, std::move(call), nullptr};
  }

  PartRunner& runner_;
  Ports& ports_;
};

}  // namespace

const std::vector<timeline::Label>& PartLabels() {
  static const std::vector<timeline::Label> labels = MakeLabels();
  return labels;
}
int32_t GradientsOutLabel() { return kPartKinds * kPasses; }
int32_t GradientsInLabel() { return GradientsOutLabel() + 1; }
int32_t OptimizerLabel() { return GradientsOutLabel() + 2; }

Steps PartSteps(const schedules::Action& action, PartRunner& runner, Ports& ports) {
  Planner planner(runner, ports);
  const auto forward = [&] {
    return planner.Forward(action.stage.value(), action.microbatch.value());
  };
  if (action.kind == ActionKind::kForward) return forward();
  Steps backward = planner.Backward(action);
  if (action.kind != ActionKind::kOverlapped) return backward;
  return Overlap(forward(), std::move(backward));
}

}  // namespace pipescope::transformer
