// One rank's share of the model on its share of a device, as the executor runs it.
//
// Steps are those of part_steps.h. A step's `run` puts work on one of the rank's two queues and
// comes back; the device keeps the order that the executor means:
//
//   within a lane      its queue
//   `after`            the queue waits for the event at the other lane's step
//   the next action    both queues wait for all of the action before
//   messages           the giver's event; values are copied on the taker's compute queue
//   (meeting.h)
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

#include "kernels/transformer/device/links.h"
#include "kernels/transformer/device/machine.h"
#include "kernels/transformer/device/meeting.h"
#include "kernels/transformer/device/rank_device.h"
#include "kernels/transformer/rank.h"

namespace pipescope::transformer::device {

class Rank : public ModelRank {
 public:
  // Sums of gradients travel on the device, by the meeting.
  Rank(Training& training, std::shared_ptr<Meeting> meeting, RankDevice device,
       const std::vector<int>& stages, const ExpertShare& share, std::unique_ptr<Carrier> carrier);
  ~Rank() override;

  bool computes_here() const override { return false; }
  const std::vector<timeline::Label>& labels() const override { return PartLabels(); }
  executor::Steps Plan(const schedules::Action& action, executor::Ports& ports) override;
  executor::Steps StepEnd() override;
  void Cancel() override;

  std::map<int, Losses> TakeLosses() override { return LossesOf(stages_); }
  std::set<std::string> ParameterNames() const override { return NamesOf(stages_); }

  const std::map<int, std::unique_ptr<Stage>>& stages() const { return stages_; }
  Home& home() { return home_; }
  // Takes these each time, in BF16, and drops what it gives.
  void PlayAlone(const std::vector<Bf16>& activation, const std::vector<Bf16>& gradient);
  int64_t peak_bytes() const { return home_.pool->peak_bytes(); }

 private:
  struct Ends;
  void MakeStages(const std::vector<int>& stages, const ExpertShare& share);
  void FinishQueues();
  executor::Steps OnQueues(executor::Steps steps);
  Kernels& QueueOf(timeline::Lane lane);
  Status TakeMessage(const executor::Steps& steps, int32_t step, Kernels& queue);

  size_t parts(int stage) const override { return stages_.at(stage)->parts(); }
  PartKind kind(int stage, size_t part) const override { return stages_.at(stage)->kind(part); }
  const std::vector<size_t>& takes(int stage, size_t part) const override {
    return stages_.at(stage)->takes(part);
  }
  void Forward(int stage, int microbatch, size_t part, executor::Ports& ports) override;
  void InputGradient(int stage, int microbatch, size_t part, executor::Ports& ports) override;
  void WeightGradient(int stage, int microbatch, size_t part) override;

  void Leave(const HandoverName& name, Travelling what);
  Status LeaveAt(const EventPtr& end, size_t lane);
  Status GiveSums();
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
  std::optional<std::array<Travelling, 2>> alone_;            // activation and gradient it takes
  Block inexact_;
  int64_t step_ = 1;
};

// Ranks on devices, each on the one that `open` gives for it.
class DeviceRanks : public RankMaker {
 public:
  using OpenDevice = std::function<Result<RankDevice>(int rank)>;
  using CheckModel = std::function<Status(const ModelConfig&)>;
  // `check`: what the device asks of a model besides; may be null. `open_link`: between ranks that
  // are processes; null where they must be threads.
  explicit DeviceRanks(OpenDevice open, CheckModel check = nullptr, OpenLink open_link = nullptr)
      : open_(std::move(open)), check_(std::move(check)), open_link_(std::move(open_link)) {}

  Result<executor::Works> Make(Training& training, const schedules::Schedule& schedule,
                               executor::Crew& crew) override;
  Status Check(const ModelConfig& model) const override;
  // hop.cc says how.
  Result<double> MeasureHop(const ModelConfig& model, int ranks, executor::Crew& crew) override;

 private:
  Status CheckCrew(executor::Crew& crew) const;
  Result<executor::Works> MakeHere(Training& training, const schedules::Schedule& schedule,
                                   executor::Crew& crew);
  Links& LinksOf(executor::Crew& crew);
  Result<double> HopHere(int64_t bytes, int ranks);
  Result<double> HopBetween(int64_t bytes, executor::Crew& crew);

  const OpenDevice open_;
  const CheckModel check_;
  const OpenLink open_link_;
  std::unique_ptr<Links> links_;  // made when a job of processes asks
};

}  // namespace pipescope::transformer::device
