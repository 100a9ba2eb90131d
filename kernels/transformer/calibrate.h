// What the steps of a model take alone: the measured costs that a prediction starts from.
//
// Ranks' steps are run without any schedule: no messages, no waiting, every action of every stage
// again and again, on as many threads as the real run keeps busy (threads share caches, memory and
// the processor's clock). Thread t plays the ranks t, t + threads, ..., with inputs drawn from a
// normal distribution. For each stage: F of as many micro-batches as there are ranks (so many are
// in flight in most schedules, and activations are as cold in the cache), then B of every other one
// and I W of the rest; at last the step's end.
//
//   cost of a step = median over calls of Measure of the mean of its samples in one
//
// A mean, since a run pays for every interruption, which a median of short steps would not see; the
// median over calls leaves out a call that was disturbed as a whole. Calls take turns with runs, so
// that a machine whose speed drifts does so for both.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "kernels/executor/work.h"
#include "kernels/transformer/rank.h"
#include "kernels/transformer/run_costs.h"
#include "schedules/schedule.h"

namespace pipescope::transformer {

class Calibration {
 public:
  // Which stages are on which rank, and how many copies they have, is the schedule's; its order is
  // not used.
  Calibration(const ModelConfig& model, const schedules::Schedule& schedule, int threads);

  // Every action `passes` times and the step's end once. Fails as a step does.
  Status Measure(int passes);
  int microbatches_of_pass() const { return training_.microbatches; }
  // Whether the last call had the machine to itself. Where any had, the others do not count.
  void Judge(bool quiet) { quiet_.push_back(quiet); }

  // Of a schedule with the same stages on the same ranks, once Measure was called. A pair is the
  // steps of its F and of its B.
  RunCosts Costs(const schedules::Schedule& schedule) const;

 private:
  using Key = std::pair<int, int>;                                  // kind, stage; kStepEnd, rank
  using Samples = std::map<Key, std::vector<std::vector<double>>>;  // [step][call]
  static constexpr int kStepEnd = -1;

  struct Player;  // one thread's part
  std::vector<double> Medians(const Key& key) const;
  TimedAction Cost(int rank, const schedules::Action& action) const;
  TimedAction StepEnd(int rank) const;

  Training training_;
  std::vector<std::unique_ptr<executor::RankWork>> ranks_;
  std::vector<std::vector<int>> stages_;  // [rank]
  int threads_;
  Samples samples_;
  std::vector<bool> quiet_;  // [call]
};

// Seconds that the executor adds to a step: the median over actions of several steps that do
// nothing.
Result<double> MeasureOverhead();

// Seconds from the end of a step that gives to the start of the one that takes on another rank that
// has nothing else to do: the median over `messages` of them.
Result<double> MeasureHop(int messages);

}  // namespace pipescope::transformer
