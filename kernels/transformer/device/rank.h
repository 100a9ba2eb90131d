// One rank's share of the model on its share of a device, as the executor runs it.
//
// Steps are those of part_steps.h. A step's `run` puts work on one of the rank's two queues and
// comes back; the device keeps the order that the executor means:
//
//   within a lane      its queue
//   `after`            the queue waits for the event at the other lane's step
//   the next action    both queues wait for all of the action before
//   messages           the giver's event; values are copied on the taker's compute queue
//
// When a step ran is read off its events after the run (executor/work.h's `when`), on the clock of
// the device. The host runs ahead of the device but for the router's choice (operations.h) and the
// step's end, which waits for all of it and finds what went wrong.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "kernels/transformer/device/handover.h"
#include "kernels/transformer/device/machine.h"
#include "kernels/transformer/device/rank_device.h"
#include "kernels/transformer/rank.h"

namespace pipescope::transformer::device {

// Where ranks of a run on devices meet.
struct Meeting {
  Handover handover;
  Gather<std::pair<std::string, int64_t>, GivenSum> sums;
  std::map<std::string, size_t> holders;  // copies of each parameter
};

class Rank : public ModelRank {
 public:
  // Sums of gradients travel on the device: the training's `copies` are not used.
  Rank(Training& training, std::shared_ptr<Meeting> meeting, RankDevice device,
       const std::vector<int>& stages, const ExpertShare& share, std::unique_ptr<Carrier> carrier);
  ~Rank() override;

  const std::vector<timeline::Label>& labels() const override { return PartLabels(); }
  executor::Steps Plan(const schedules::Action& action, executor::Ports& ports) override;
  executor::Steps StepEnd() override;
  void Cancel() override;

  std::map<int, Losses> TakeLosses() override { return LossesOf(stages_); }
  std::set<std::string> ParameterNames() const override { return NamesOf(stages_); }

  const std::map<int, std::unique_ptr<Stage>>& stages() const { return stages_; }
  Home& home() { return home_; }
  int64_t peak_bytes() const { return home_.pool->peak_bytes(); }

 private:
  struct Ends;
  executor::Steps OnQueues(executor::Steps steps);
  Kernels& QueueOf(timeline::Lane lane);
  void TakeMessage(const executor::Steps& steps, int32_t step, Kernels& queue);

  size_t parts(int stage) const override { return stages_.at(stage)->parts(); }
  PartKind kind(int stage, size_t part) const override { return stages_.at(stage)->kind(part); }
  const std::vector<size_t>& takes(int stage, size_t part) const override {
    return stages_.at(stage)->takes(part);
  }
  void Forward(int stage, int microbatch, size_t part, executor::Ports& ports) override;
  void InputGradient(int stage, int microbatch, size_t part, executor::Ports& ports) override;
  void WeightGradient(int stage, int microbatch, size_t part) override;

  void Leave(const HandoverName& name, Travelling what);
  void LeaveAt(const EventPtr& end, size_t lane);
  template <class Visit>
  void ForParameters(const Visit& visit);
  void GiveSums();
  Status AddSums();
  Status Update();

  Training& t_;
  const std::shared_ptr<Meeting> meeting_;
  RankDevice device_;
  Home home_;
  std::unique_ptr<Carrier> carrier_;
  std::map<int, std::unique_ptr<Stage>> stages_;
  std::vector<std::pair<Parameter*, size_t>> places_;  // among its copies
  std::shared_ptr<Ends> ends_;                         // of the action so far planned
  // What the action takes, and what has come.
  std::optional<HandoverName> activation_, gradient_;
  Travelling activation_in_, gradient_in_;
  std::vector<std::pair<HandoverName, Travelling>> leaving_;  // of the step that runs
  Block inexact_;
  int64_t step_ = 1;
};

// Ranks on devices, each on the one that `open` gives for it.
class DeviceRanks : public RankMaker {
 public:
  using OpenDevice = std::function<Result<RankDevice>(int rank)>;
  using CheckModel = std::function<Status(const ModelConfig&)>;
  // `check`: what the device asks of a model besides; may be null.
  explicit DeviceRanks(OpenDevice open, CheckModel check = nullptr)
      : open_(std::move(open)), check_(std::move(check)) {}

  Result<executor::Works> Make(Training& training, const schedules::Schedule& schedule) override;
  Status Check(const ModelConfig& model) const override;
  // Between events of two queues, the lowest decile.
  Result<double> MeasureHop() override;

 private:
  const OpenDevice open_;
  const CheckModel check_;
};

}  // namespace pipescope::transformer::device
