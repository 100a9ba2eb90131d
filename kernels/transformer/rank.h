// One rank's share of the model as the executor runs it: steps out of parts (part_steps.h).
//
// A step is one part of one pass: "attention F", "mlp I". With expert parallelism a MoE layer's mlp
// is six (layer.h), of which dispatch and combine run on the communication lane. At the end:
// "gradients out" hands the sums to who has copies, "gradients in" adds up those of all copies,
// "optimizer".
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "kernels/executor/crew.h"
#include "kernels/transformer/copies.h"
#include "kernels/transformer/part_steps.h"
#include "kernels/transformer/stage.h"

namespace pipescope::transformer {

struct Training;

// Makes the ranks of a schedule on other machines than a CPU (device/rank.h).
class RankMaker {
 public:
  virtual ~RankMaker() = default;
  // Those that are here; all processes of the crew together.
  virtual Result<executor::Works> Make(Training& training, const schedules::Schedule& schedule,
                                       executor::Crew& crew) = 0;
  // Whether it can run such a model.
  virtual Status Check(const ModelConfig& model) const = 0;
  // Seconds from the end of a step on one rank to the start on another of one that waits for it;
  // where the crew leads, elsewhere 0.
  // `ranks`: of all pipelines.
  virtual Result<double> MeasureHop(const ModelConfig& model, int ranks, executor::Crew& crew) = 0;
};

// What all ranks of a run have in common; outlives them.
struct Training {
  ModelConfig model;
  kernels::AdamW adamw;
  int stages = 1;
  int microbatches = 1;  // of a step
  // Pipelines that the schedule's ranks are, one after the other (Replicate), and how many of them
  // share their experts: `model.expert_groups`, or 1 where a rank has all.
  int replicas = 1;
  int expert_ranks = 1;
  Text text{1};
  Copies copies;
  RankMaker* maker = nullptr;  // null: ranks on a CPU; outlives it
  bool alone = false;          // ranks play alone (executor/play.h): what they take is made up

  double LossWeight() const { return 1 / static_cast<double>(model.tokens * microbatches); }
};

// Of a rank's stages, of any machine.
template <class Stages>
std::map<int, Losses> LossesOf(const Stages& stages) {
  std::map<int, Losses> losses;
  for (const auto& [s, stage] : stages) losses.merge(stage->TakeLosses());
  return losses;
}
template <class Stages>
std::set<std::string> NamesOf(const Stages& stages) {
  std::set<std::string> names;
  for (const auto& [s, stage] : stages) {
    for (const auto* p : stage->parameters()) names.insert(p->name());
  }
  return names;
}

// A rank of any machine.
class ModelRank : public executor::RankWork, protected PartRunner {
 public:
  // Of each micro-batch of the last step, once.
  virtual std::map<int, Losses> TakeLosses() = 0;
  virtual std::set<std::string> ParameterNames() const = 0;
};

class Rank : public ModelRank {
 public:
  // `stages`: that the schedule has on this rank. `carrier`: null where there are no groups.
  Rank(Training& training, const std::vector<int>& stages, const ExpertShare& share,
       std::unique_ptr<ExpertCarrier> carrier);

  const std::vector<timeline::Label>& labels() const override;
  executor::Steps Plan(const schedules::Action& action, executor::Ports& ports) override;
  executor::Steps StepEnd() override;
  void Cancel() override;

  std::map<int, Losses> TakeLosses() override { return LossesOf(stages_); }
  std::set<std::string> ParameterNames() const override { return NamesOf(stages_); }

  const std::map<int, std::unique_ptr<Stage>>& stages() const { return stages_; }

 private:
  size_t parts(int stage) const override { return stages_.at(stage)->parts(); }
  PartKind kind(int stage, size_t part) const override { return stages_.at(stage)->kind(part); }
  const std::vector<size_t>& takes(int stage, size_t part) const override {
    return stages_.at(stage)->takes(part);
  }
  void Forward(int stage, int microbatch, size_t part, executor::Ports& ports) override;
  void InputGradient(int stage, int microbatch, size_t part, executor::Ports& ports) override;
  void WeightGradient(int stage, int microbatch, size_t part) override;
  Batch BatchOf(int microbatch) const;
  Status AddCopies();

  Training& t_;
  std::unique_ptr<ExpertCarrier> carrier_;
  std::map<int, std::unique_ptr<Stage>> stages_;
  int64_t step_ = 1;
};

// The stages that actions are of.
std::vector<int> StagesOf(const std::vector<schedules::Action>& actions);

// One for each rank of the schedule that is here. Adds to `training.copies`. Ranks of the same
// place in `expert_ranks` pipelines that follow one another are a group. Fails where processes
// cannot meet.
Result<executor::Works> MakeRanks(Training& training, const schedules::Schedule& schedule,
                                  executor::Crew& crew);
// All of them, to be threads of this process.
executor::Works MakeRanks(Training& training, const schedules::Schedule& schedule);

// All stages on one rank, micro-batch after micro-batch: what every schedule must equal.
schedules::Schedule OneRank(int microbatches);

// Data parallelism as a schedule: `replicas` pipelines beside each other, each with micro-batches
// of its own. Rank r of replica d is d x ranks + r, its micro-batch m is d x microbatches + m;
// stages have a copy in each, as they have two in bidirectional schedules.
schedules::Schedule Replicate(const schedules::Schedule& schedule, int replicas);

// [rank] the ranks of its group, itself among them, in order.
std::vector<std::vector<int>> ExpertGroups(const Training& training, int ranks);

// Of the last step, once: the head's and MTP's, as the step's gradient has them.
// Summed in the order of micro-batches, so that it does not depend on the schedule.
// Where the crew leads; elsewhere 0.
Result<double> TakeLoss(const Training& training, const executor::Works& works,
                        executor::Crew& crew);
double TakeLoss(const Training& training, const executor::Works& works);

// [rank] the ranks that hold a copy of any of its parameters, itself among them; where ranks are
// processes, of this one's rank alone.
std::vector<std::vector<int>> Partners(const Training& training, const executor::Works& works);

// Fails where the model has fewer layers than the schedule has stages, or the schedule cuts
// sequences into slices.
Status CheckRun(const ModelConfig& model, const schedules::Schedule& schedule);

}  // namespace pipescope::transformer
