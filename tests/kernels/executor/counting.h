// Works whose payloads are numbers that say which stages they went through, and such as go wrong in
// one action.
#pragma once

#include <chrono>
#include <csignal>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <tuple>

#include "kernels/executor/work.h"
#include "schedules/schedule.h"
#include "schedules/token.h"

namespace pipescope::executor {

// What all ranks did, as (letter, stage, micro-batch).
struct Done {
  std::mutex mutex;
  std::map<std::tuple<char, int, int>, int> times;
  int wrong = 0;
};

// Numbers that say which stages a payload went through: F adds one a stage to 1000 x micro-batch,
// the gradient comes back from the other end.
class Counting : public RankWork {
 public:
  Counting(const schedules::Schedule& schedule, Done& done) : schedule_(schedule), done_(done) {}

  const std::vector<timeline::Label>& labels() const override {
    static const std::vector<timeline::Label> labels = {
        {"work", timeline::OperationKind::kAttention, timeline::Lane::kCompute,
         timeline::Part::kForward},
        {"dispatch", timeline::OperationKind::kDispatch, timeline::Lane::kCommunication,
         timeline::Part::kForward}};
    return labels;
  }

  Steps Plan(const schedules::Action& action, Ports& ports) override {
    Steps steps;
    if (schedules::HasForward(action)) Forward(action, ports, steps);
    if (schedules::HasBackward(action)) Backward(action, ports, steps);
    if (action.kind == schedules::ActionKind::kWeightGrad) {
      Add(steps, [this, action] { Note('W', action.stage, action.microbatch); });
    }
    return steps;
  }

  Steps StepEnd() override {
    Steps steps;
    Add(steps, [] {});
    return steps;
  }

 private:
  // Between stages one before and one after on the other lane, which the middle one waits for.
  void Forward(const schedules::Action& a, Ports& ports, Steps& steps) {
    const float start = static_cast<float>(1000 * a.microbatch.value());
    const int32_t first = Add(steps, [this, a, start, &ports] {
      const float expected = start + static_cast<float>(a.stage.value());
      if (a.stage.value() > 0 && ports.activation_in != Payload{expected}) Wrong();
      Note('F', a.stage, a.microbatch);
    });
    const int32_t sent = Add(steps, [] {}, timeline::Lane::kCommunication, {first});
    const int32_t last =
        Add(steps,
            [a, start, &ports] {
              ports.activation_out = {start + static_cast<float>(a.stage.value() + 1)};
            },
            timeline::Lane::kCompute, {sent});
    steps.takes_activation = first;
    steps.gives_activation = last;
  }

  void Backward(const schedules::Action& a, Ports& ports, Steps& steps) {
    const StageId stage = schedules::BackwardStage(a);
    const MicrobatchId mb = schedules::BackwardMicrobatch(a);
    const float start = static_cast<float>(-1000 * mb.value());
    const int32_t only = Add(steps, [this, a, stage, mb, start, &ports] {
      const bool last = stage.value() == schedule_.stages - 1;
      const float expected = start - static_cast<float>(stage.value() + 1);
      if (!last && ports.gradient_in != Payload{expected}) Wrong();
      ports.gradient_out = {start - static_cast<float>(stage.value())};
      Note('I', stage, mb);
      if (a.kind != schedules::ActionKind::kInputGrad) Note('W', stage, mb);
    });
    steps.takes_gradient = steps.gives_gradient = only;
  }

  template <class Run>
  int32_t Add(Steps& steps, Run run, timeline::Lane lane = timeline::Lane::kCompute,
              std::vector<int32_t> after = {}) {
    steps.list.push_back(
        {lane == timeline::Lane::kCompute ? 0 : 1, lane, std::move(after), [run]() -> Status {
           run();
           return {};
         }});
    return static_cast<int32_t>(steps.list.size()) - 1;
  }

  void Note(char letter, StageId stage, MicrobatchId microbatch) {
    const std::lock_guard lock(done_.mutex);
    ++done_.times[{letter, stage.value(), microbatch.value()}];
  }
  void Wrong() {
    const std::lock_guard lock(done_.mutex);
    ++done_.wrong;
  }

  const schedules::Schedule& schedule_;
  Done& done_;
};

// Fails, throws, sleeps or dies in an action: stage 1's F of micro-batch 2.
class Faulty : public Counting {
 public:
  enum class How { kFails, kThrows, kHangs, kDies };
  Faulty(const schedules::Schedule& schedule, Done& done, How how,
         std::chrono::milliseconds nap = std::chrono::milliseconds(1500), std::string where = "1F2")
      : Counting(schedule, done), how_(how), nap_(nap), where_(std::move(where)) {}

  Steps Plan(const schedules::Action& action, Ports& ports) override {
    Steps steps = Counting::Plan(action, ports);
    if (schedules::ToToken(action) == where_) {
      steps.list.front().run = [how = how_, nap = nap_]() -> Status {
        if (how == How::kThrows) throw std::runtime_error("no more memory");
        if (how == How::kFails) return Fail("the loss is not finite");
        if (how == How::kDies) std::raise(SIGKILL);
        std::this_thread::sleep_for(nap);
        return {};
      };
    }
    return steps;
  }

 private:
  How how_;
  std::chrono::milliseconds nap_;
  std::string where_;
};

}  // namespace pipescope::executor
