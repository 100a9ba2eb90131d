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

std::vector<timeline::Label> MakeLabels() {
  constexpr OperationKind kKinds[kPartKinds] = {OperationKind::kEdge, OperationKind::kAttention,
                                                OperationKind::kMlp, OperationKind::kEdge,
                                                OperationKind::kEdge};
  constexpr timeline::Part kParts[kPasses] = {timeline::Part::kForward, timeline::Part::kInputGrad,
                                              timeline::Part::kWeightGrad};
  std::vector<timeline::Label> labels;
  for (int kind = 0; kind < kPartKinds; ++kind) {
    for (int pass = 0; pass < kPasses; ++pass) {
      labels.push_back({fmt::format("{} {}", NameOf(static_cast<PartKind>(kind)), "FIW"[pass]),
                        kKinds[kind], Lane::kCompute, kParts[pass]});
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
  const auto move = [&](Steps& from, size_t i) {
    if (i >= from.list.size()) return;
    const int32_t number = static_cast<int32_t>(i), to = static_cast<int32_t>(both.list.size());
    if (from.takes_activation == number) both.takes_activation = to;
    if (from.gives_activation == number) both.gives_activation = to;
    if (from.takes_gradient == number) both.takes_gradient = to;
    if (from.gives_gradient == number) both.gives_gradient = to;
    both.list.push_back(std::move(from.list[i]));
  };
  for (size_t i = 0; i < std::max(forward.list.size(), backward.list.size()); ++i) {
    move(forward, i);
    move(backward, i);
  }
  return both;
}

}  // namespace

Rank::Rank(Training& training, const std::vector<int>& stages, int replica)
    : t_(training), replica_(replica) {
  for (const int s : stages) {
    auto& stage = stages_[s];
    stage = std::make_unique<Stage>(t_.model, t_.text, s, t_.stages);
    for (const Parameter* p : stage->parameters()) t_.copies.Register(p->name());
  }
}

const std::vector<timeline::Label>& Rank::labels() const {
  static const std::vector<timeline::Label> labels = MakeLabels();
  return labels;
}

Step Rank::Make(const Stage& stage, size_t part, Pass pass, std::function<void()> run) const {
  const int label = static_cast<int>(stage.kind(part)) * kPasses + static_cast<int>(pass);
  return Call(label, [run = std::move(run)]() -> Status {
    run();
    return {};
  });
}

Batch Rank::BatchOf(int microbatch) const {
  const int64_t of_step = int64_t{t_.microbatches} * t_.replicas;
  return {(step_ - 1) * of_step + int64_t{replica_} * t_.microbatches + microbatch,
          t_.LossWeight()};
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
  for (size_t part = last + 1; part-- > 0;) {
    if (input) {
      if (part == last) steps.takes_gradient = static_cast<int32_t>(steps.list.size());
      if (part == 0) steps.gives_gradient = static_cast<int32_t>(steps.list.size());
      steps.list.push_back(Make(stage, part, Pass::kInputGradient, [=, &stage, &ports] {
        if (part == last) stage.BeginBackward(mb, std::move(ports.gradient_in));
        stage.InputGradient(mb, part);
        if (part == 0) ports.gradient_out = stage.OutputGradient(mb);
      }));
    }
    if (weight) {
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
      for (Parameter* p : stage->parameters()) t_.copies.Give(p->name(), step_, p->TakeSum());
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

std::vector<std::unique_ptr<executor::RankWork>> MakeRanks(Training& training,
                                                           const schedules::Schedule& schedule,
                                                           int replica) {
  std::vector<std::unique_ptr<executor::RankWork>> ranks;
  for (const auto& actions : schedule.actions) {
    std::set<int> stages;
    for (const schedules::Action& action : actions) {
      stages.insert(action.stage.value());
      stages.insert(schedules::BackwardStage(action).value());
    }
    ranks.push_back(
        std::make_unique<Rank>(training, std::vector<int>(stages.begin(), stages.end()), replica));
  }
  return ranks;
}

schedules::Schedule OneRank(int microbatches) {
  schedules::Schedule schedule{"one rank", 1, 1, microbatches, 1, {{}}};
  for (int m = 0; m < microbatches; ++m) {
    for (const ActionKind kind : {ActionKind::kForward, ActionKind::kBackward}) {
      schedule.actions[0].push_back({kind, StageId(0), MicrobatchId(m)});
    }
  }
  return schedule;
}

double TakeLoss(const Training& training,
                const std::vector<std::unique_ptr<executor::RankWork>>& works) {
  std::map<int, Stage::Losses> losses;
  for (const auto& work : works) {
    for (const auto& [s, stage] : dynamic_cast<const Rank&>(*work).stages()) {
      losses.merge(stage->TakeLosses());
    }
  }
  PIPESCOPE_CHECK(losses.size() == static_cast<size_t>(training.microbatches));
  double sum = 0;
  for (const auto& [mb, loss] : losses) sum += loss.head + training.model.mtp_weight * loss.mtp;
  return sum * training.LossWeight();
}

std::vector<std::vector<int>> Partners(
    const std::vector<std::unique_ptr<executor::RankWork>>& works) {
  std::map<std::string, std::set<int>> holders;
  const auto each = [&](size_t rank, const auto& visit) {
    for (const auto& [s, stage] : dynamic_cast<const Rank&>(*works[rank]).stages()) {
      for (const Parameter* p : stage->parameters()) visit(p->name());
    }
  };
  std::vector<std::vector<int>> partners;
  for (size_t r = 0; r < works.size(); ++r) {
    each(r, [&](const std::string& name) { holders[name].insert(static_cast<int>(r)); });
  }
  for (size_t r = 0; r < works.size(); ++r) {
    std::set<int> all;
    each(r,
         [&](const std::string& name) { all.insert(holders[name].begin(), holders[name].end()); });
    partners.emplace_back(all.begin(), all.end());
  }
  return partners;
}

Status CheckRun(const ModelConfig& model, const schedules::Schedule& schedule) {
  if (Status ok = CheckModel(model); !ok) return ok;
  if (schedule.slices > 1) {
    return Fail(schedule.name + " cuts sequences into slices, which the model cannot");
  }
  if (schedule.stages <= model.layers) return {};
  return Fail(fmt::format("{} has {} stages for {} layers: expected a layer for each",
                          schedule.name, schedule.stages, model.layers));
}

}  // namespace pipescope::transformer
