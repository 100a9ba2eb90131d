// What the ranks of a real run do: the executor's view of a model.
//
// An action (schedule.h) becomes steps, each a kernel call or an exchange with other GPUs of the
// rank's group, on one of two lanes. A lane runs its steps in the order given; a step may also wait
// for steps of the other lane. This is the shape that the simulator lowers an action to, so that a
// step's name, lane and order mean the same in a predicted and in a measured timeline.
//
//   F of a MoE layer     compute        attention ----> mlp ------>
//                        communication       dispatch       combine
//
// Activations and gradients between stages are handed over by the executor: before the step that
// takes one it fills the port, after the step that gives one it sends what the step left there.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "schedules/schedule.h"
#include "sim/base/result.h"
#include "sim/timeline/timeline.h"

namespace pipescope::executor {

// Hidden states of one micro-batch, or their gradient: tokens x hidden values, by rows.
using Payload = std::vector<float>;

struct Ports {
  Payload activation_in, activation_out;
  Payload gradient_in, gradient_out;
};

// When a step ran.
struct Span {
  std::chrono::steady_clock::time_point start, end;
};
// Of seconds on a device's own clock.
inline Span SpanOf(double start, double end) {
  const auto at = [](double seconds) {
    return std::chrono::steady_clock::time_point(
        std::chrono::nanoseconds(static_cast<int64_t>(seconds * 1e9 + 0.5)));
  };
  return {at(start), at(end)};
}

struct Step {
  int32_t label = 0;                               // of RankWork::labels
  timeline::Lane lane = timeline::Lane::kCompute;  // or kCommunication
  std::vector<int32_t> after = {};                 // earlier steps of the action, of either lane
  std::function<Status()> run;
  // Of a step that `run` only starts on a device: when it ran, asked after the run. All steps of a
  // run have one, or none.
  std::function<Result<Span>()> when = {};
};

// The steps of one action, and which of them take and give what travels between stages; -1 where
// the stage is the first or last.
struct Steps {
  std::vector<Step> list;
  int32_t takes_activation = -1, gives_activation = -1;
  int32_t takes_gradient = -1, gives_gradient = -1;
};

// One rank's share of the model. Called by one thread at a time, but for steps of different lanes,
// which run side by side.
class RankWork {
 public:
  virtual ~RankWork() = default;

  // Whether its steps run on the thread that calls them; else a device's processors run them.
  virtual bool computes_here() const { return true; }

  // What steps are called; the same list on every rank.
  virtual const std::vector<timeline::Label>& labels() const = 0;

  // `ports` outlives the steps. Actions come in the schedule's order.
  virtual Steps Plan(const schedules::Action& action, Ports& ports) = 0;

  // After the last action: gradients of copies and replicas are added up, the optimizer runs.
  virtual Steps StepEnd() = 0;

  // The run has failed on some rank: a step of this one that waits for others must fail now. Called
  // from another thread.
  virtual void Cancel() {}
};

}  // namespace pipescope::executor
