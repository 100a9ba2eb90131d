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
#include <string>
#include <vector>

#include "kernels/transformer/device/handover.h"
#include "kernels/transformer/device/machine.h"
#include "kernels/transformer/device/rank_device.h"
#include "kernels/transformer/rank.h"

namespace pipescope::transformer::device {

// What all ranks of a run on devices have in common; outlives them. Sums of gradients travel on the
// device: `copies` is not used.
struct DeviceTraining : Training {
  Handover handover;
  Gather<std::pair<std::string, int64_t>, GivenSum> sums;
  std::map<std::string, size_t> holders;  // copies of each parameter
};

class Rank : public executor::RankWork, private PartRunner {
 public:
  Rank(DeviceTraining& training, RankDevice device, const std::vector<int>& stages,
       const ExpertShare& share, std::unique_ptr<Carrier> carrier);
  ~Rank() override;

  const std::vector<timeline::Label>& labels() const override { return PartLabels(); }
  executor::Steps Plan(const schedules::Action& action, executor::Ports& ports) override;
  executor::Steps StepEnd() override;
  void Cancel() override;

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
  template <class Visit>
  void ForParameters(const Visit& visit);
  void GiveSums();
  Status AddSums();
  Status Update();

  DeviceTraining& t_;
  RankDevice device_;
  Home home_;
  std::unique_ptr<Carrier> carrier_;
  std::map<int, std::unique_ptr<Stage>> stages_;
  std::vector<std::pair<Parameter*, size_t>> places_;  // among its copies
  std::shared_ptr<Ends> ends_;                         // of the action so far planned
  // What the action takes, and what has come.
  std::optional<HandoverName> activation_, gradient_;
  Travelling activation_in_, gradient_in_;
  Block inexact_;
  int64_t step_ = 1;
};

// One for each rank of the schedule, each on the device that `open` gives for it.
using OpenDevice = std::function<Result<RankDevice>(int rank)>;
Result<std::vector<std::unique_ptr<executor::RankWork>>> MakeRanks(
    DeviceTraining& training, const schedules::Schedule& schedule, const OpenDevice& open);

// As rank.h's, of ranks on devices.
double TakeLoss(const DeviceTraining& training,
                const std::vector<std::unique_ptr<executor::RankWork>>& works);

}  // namespace pipescope::transformer::device
