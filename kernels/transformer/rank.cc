#include "kernels/transformer/rank.h"

#include <utility>

namespace pipescope::transformer {
namespace {

using executor::Ports;
using executor::Step;
using executor::Steps;

Step Call(int32_t label, std::function<Status()> run) {
  return {label, timeline::Lane::kCompute, {}, std::move(run), nullptr};
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

const std::vector<timeline::Label>& Rank::labels() const { return PartLabels(); }

Batch Rank::BatchOf(int microbatch) const {
  return {(step_ - 1) * t_.microbatches + microbatch, t_.LossWeight()};
}

Steps Rank::Plan(const schedules::Action& action, Ports& ports) {
  return PartSteps(action, *this, ports);
}

void Rank::Forward(int s, int mb, size_t part, Ports& ports) {
  Stage& stage = *stages_.at(s);
  if (part == 0) stage.Begin(mb, BatchOf(mb), std::move(ports.activation_in));
  stage.Forward(mb, part);
  if (part + 1 == stage.parts()) ports.activation_out = stage.Output(mb);
}

void Rank::InputGradient(int s, int mb, size_t part, Ports& ports) {
  Stage& stage = *stages_.at(s);
  if (part + 1 == stage.parts()) stage.BeginBackward(mb, std::move(ports.gradient_in));
  stage.InputGradient(mb, part);
  if (part == 0) ports.gradient_out = stage.OutputGradient(mb);
}

void Rank::WeightGradient(int s, int mb, size_t part) {
  Stage& stage = *stages_.at(s);
  stage.WeightGradient(mb, part);
  if (part == 0) stage.End(mb);
}

Steps Rank::StepEnd() {
  Steps steps;
  steps.list.push_back(Call(GradientsOutLabel(), [this]() -> Status {
    for (const auto& [s, stage] : stages_) {
      for (Parameter* p : stage->parameters()) {
        if (Status given = t_.copies.Give(p->name(), step_, p->TakeSum()); !given) return given;
      }
    }
    return {};
  }));
  steps.list.push_back(Call(GradientsInLabel(), [this] { return AddCopies(); }));
  steps.list.push_back(Call(OptimizerLabel(), [this]() -> Status {
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
      const Status set = p->SetGradient(*sums);
      // Made-up gradients, played again and again while others are not through, have no bound.
      if (!set && !t_.alone) return set;
    }
  }
  return {};
}

}  // namespace pipescope::transformer
