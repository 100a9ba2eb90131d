// What the steps of a model take alone: the measured costs that a prediction starts from.
//
// Each rank plays its stages alone (executor/play.h): no messages, no waiting, but the same loop,
// on a thread of its own beside those of the others (they share caches and memory and, where they
// are more than processors, turns). It has as many micro-batches in flight as there are ranks,
// since how cold an activation is in the cache counts:
//
//   F of micro-batch m, then the backward pass of m - ranks: B, or for every other one I, and its W
//   one micro-batch later; at last the step's end
//
//   cost of a step = median over calls of Measure of its mean in one
//
// A mean, since a run pays for every page fault and every tick of the system, which a median of
// short steps would not see; the median over calls leaves out a call that was disturbed as a whole.
// Times are processor time (timed_work.h). Calls take turns with runs, so that a machine whose
// speed drifts does so for both.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "kernels/executor/play.h"
#include "kernels/transformer/rank.h"
#include "kernels/transformer/run_costs.h"
#include "kernels/transformer/timed_work.h"
#include "schedules/schedule.h"

namespace pipescope::transformer {

class Calibration {
 public:
  // Which stages are on which rank, and how many copies they have, is the schedule's; its order is
  // not used.
  Calibration(const ModelConfig& model, const schedules::Schedule& schedule);

  // A step of every rank. Fails as a step does.
  Status Measure();

  // Of a schedule with the same stages on the same ranks, once Measure was called. A pair is the
  // steps of its F and of its B.
  RunCosts Costs(const schedules::Schedule& schedule) const;

 private:
  struct Samples {
    std::vector<double> run, before;  // [call]
  };
  using Key = std::pair<int, int>;  // kind, stage; kStepEnd, rank
  static constexpr int kStepEnd = -1;

  struct Player;  // one rank's part
  std::vector<schedules::Action> OrderOf(size_t rank) const;
  void Keep(const ActionTimes& times);
  std::vector<TimedStep> Medians(const Key& key) const;
  TimedAction Cost(int rank, const schedules::Action& action) const;
  TimedAction StepEnd(int rank) const;

  Training training_;
  std::vector<std::unique_ptr<executor::RankWork>> ranks_;
  std::vector<std::vector<int>> stages_;  // [rank]
  executor::Handed handed_;
  std::map<Key, std::vector<Samples>> samples_;  // [step]
};

// Seconds from the end of a step that gives to the start of the one that takes on another rank that
// has nothing else to do. Awake: as ranks wait that have a processor each (executor/spin.h), all
// alike but where others took the processor meanwhile: the lowest decile. Otherwise they are woken,
// from a processor that sleeps more or less deeply: the median.
Result<double> MeasureHop(bool awake);

}  // namespace pipescope::transformer
