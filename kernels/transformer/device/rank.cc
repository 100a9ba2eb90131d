#include "kernels/transformer/device/rank.h"

#include <fmt/format.h>

#include <utility>

#include "schedules/token.h"

namespace pipescope::transformer::device {

using executor::Ports;
using executor::Step;
using executor::Steps;
using timeline::Lane;

// Of an action's steps, and of the one before on each lane.
struct Rank::Ends {
  std::vector<Lane> lanes;           // [step]
  std::vector<EventPtr> start, end;  // [step]
  std::array<EventPtr, 2> before;    // [0: compute, 1: communication]

  static size_t IndexOf(Lane lane) { return lane == Lane::kCommunication ? 1 : 0; }
  // The last of a lane, or the one before this action.
  EventPtr Last(size_t lane) const {
    for (size_t i = lanes.size(); i-- > 0;) {
      if (IndexOf(lanes[i]) == lane) return end[i];
    }
    return before[lane];
  }
};

Rank::Rank(Training& training, std::shared_ptr<Meeting> meeting, RankDevice device,
           const std::vector<int>& stages, const ExpertShare& share,
           std::unique_ptr<Carrier> carrier)
    : t_(training),
      meeting_(std::move(meeting)),
      device_(std::move(device)),
      home_{device_.compute.get(), device_.communication.get(),
            std::make_shared<Pool>(*device_.memory)},
      carrier_(std::move(carrier)),
      ends_(std::make_shared<Ends>()) {
  try {
    MakeStages(stages, share);
  } catch (...) {  // no memory for a weight; queues still fill those that there was some for
    FinishQueues();
    throw;
  }
}

void Rank::MakeStages(const std::vector<int>& stages, const ExpertShare& share) {
  for (const int s : stages) {
    auto& stage = stages_[s];
    stage = std::make_unique<Stage>(t_.model, t_.text, s, t_.stages, share, carrier_.get(),
                                    OnDevice{&home_});
    for (Parameter* p : stage->parameters()) places_.emplace_back(p, meeting_->Join(p->name()));
  }
  inexact_ = home_.pool->Allocate(sizeof(int32_t), *home_.compute);
}

// Nobody frees what a queue still works on.
void Rank::FinishQueues() {
  (void)device_.compute->Finish();
  (void)device_.communication->Finish();
}

Rank::~Rank() { FinishQueues(); }

void Rank::Cancel() {
  meeting_->Cancel();
  if (carrier_ != nullptr) carrier_->Cancel();
}

Kernels& Rank::QueueOf(Lane lane) {
  return lane == Lane::kCommunication ? *home_.communication : *home_.compute;
}

Steps Rank::Plan(const schedules::Action& action, Ports& ports) {
  activation_.reset();
  gradient_.reset();
  const int stage = action.stage.value();
  if (schedules::HasForward(action) && stage > 0) {
    activation_ = {stage, action.microbatch.value(), false};
  }
  if (schedules::HasBackward(action)) {
    const int back = schedules::BackwardStage(action).value();
    if (back + 1 < t_.stages) {
      gradient_ = {back, schedules::BackwardMicrobatch(action).value(), true};
    }
  }
  return OnQueues(PartSteps(action, *this, ports));
}

// Waits for what the step takes, so that its start is when it could.
Status Rank::TakeMessage(const Steps& steps, int32_t step, Kernels& queue) {
  const auto take = [&](const std::optional<HandoverName>& name, Travelling& to) -> Status {
    if (!name) return {};
    if (alone_) {
      to = (*alone_)[std::get<2>(*name) ? 1 : 0];
      return {};
    }
    auto taken = meeting_->Take(*name);
    if (!taken) return Fail(taken.error());
    to = *std::move(taken);
    if (to.ready != nullptr) queue.Wait(to.ready);
    return {};
  };
  Status ok;
  if (step == steps.takes_activation) ok = take(activation_, activation_in_);
  if (ok && step == steps.takes_gradient) ok = take(gradient_, gradient_in_);
  return ok;
}

Steps Rank::OnQueues(Steps steps) {
  home_.pool->NextAction();
  auto ends = std::make_shared<Ends>();
  ends->before = {ends_->Last(0), ends_->Last(1)};
  std::array<bool, 2> begun = {};
  Steps taken;  // which of them take messages
  taken.takes_activation = steps.takes_activation;
  taken.takes_gradient = steps.takes_gradient;
  for (size_t i = 0; i < steps.list.size(); ++i) {
    Step& step = steps.list[i];
    const size_t lane = Ends::IndexOf(step.lane);
    ends->lanes.push_back(step.lane);
    const bool first = !std::exchange(begun[lane], true);
    step.run = [this, ends, i, first, lane, taken, after = step.after, at = step.lane,
                run = std::move(step.run)]() -> Status {
      Kernels& queue = QueueOf(at);
      if (first && ends->before[1 - lane] != nullptr) queue.Wait(ends->before[1 - lane]);
      for (const int32_t other : after) {
        const auto o = static_cast<size_t>(other);
        if (Ends::IndexOf(ends->lanes[o]) != lane) queue.Wait(ends->end[o]);
      }
      if (auto ok = TakeMessage(taken, static_cast<int32_t>(i), queue); !ok) return ok;
      ends->start[i] = queue.Record();
      const Status ran = run();
      ends->end[i] = queue.Record();
      return ran ? LeaveAt(ends->end[i], lane) : ran;
    };
    step.when = [ends, i]() -> Result<executor::Span> {
      const auto start = ends->start[i]->Seconds(), end = ends->end[i]->Seconds();
      if (!start) return Fail(start.error());
      if (!end) return Fail(end.error());
      return executor::SpanOf(*start, *end);
    };
  }
  ends->start.resize(steps.list.size());
  ends->end.resize(steps.list.size());
  ends_ = ends;
  return steps;
}

void Rank::Leave(const HandoverName& name, Travelling what) {
  if (!alone_) leaving_.emplace_back(name, std::move(what));
}

// What the step leaves is there at its end. Only steps of the compute lane leave anything.
Status Rank::LeaveAt(const EventPtr& end, size_t lane) {
  if (lane != 0) return {};
  for (auto& [name, what] : std::exchange(leaving_, {})) {
    what.ready = end;
    if (auto ok = meeting_->Leave(name, std::move(what)); !ok) return ok;
  }
  return {};
}

void Rank::PlayAlone(const std::vector<Bf16>& activation, const std::vector<Bf16>& gradient) {
  const Tape tape(home_, *home_.compute);
  const int64_t rows = t_.model.tokens;
  alone_ = {Travelling{tape.Upload(activation), nullptr, rows, true},
            Travelling{tape.Upload(gradient), nullptr, rows, true}};
}

void Rank::Forward(int s, int mb, size_t part, Ports&) {
  Stage& stage = *stages_.at(s);
  const Batch batch{(step_ - 1) * t_.microbatches + mb, t_.LossWeight()};
  if (part == 0) stage.Begin(mb, batch, std::exchange(activation_in_, {}));
  stage.Forward(mb, part);
  if (part + 1 == stage.parts() && s + 1 < t_.stages) Leave({s + 1, mb, false}, stage.Output(mb));
}

void Rank::InputGradient(int s, int mb, size_t part, Ports&) {
  Stage& stage = *stages_.at(s);
  if (part + 1 == stage.parts()) stage.BeginBackward(mb, std::exchange(gradient_in_, {}));
  stage.InputGradient(mb, part);
  if (part > 0) return;
  Travelling gradient = stage.OutputGradient(mb);
  if (s > 0) Leave({s - 1, mb, true}, std::move(gradient));
}

void Rank::WeightGradient(int s, int mb, size_t part) {
  Stage& stage = *stages_.at(s);
  stage.WeightGradient(mb, part);
  if (part == 0) stage.End(mb);
}

}  // namespace pipescope::transformer::device
