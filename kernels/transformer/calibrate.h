// What the steps of a model take alone: the measured costs that a prediction starts from.
//
// Each rank plays its stages alone (executor/play.h): no messages, no waiting, but the same loop,
// on a thread of its own beside those of the others (they share caches and memory and, where they
// are more than processors, turns). Of each stage it holds as many micro-batches as the schedule
// makes it hold at most, since how cold an activation is in the cache counts (stage_load.h; of a
// model of hidden 64, 4 % of a step between 1F1B's two and GPipe's eight):
//
//   F of micro-batch m, then the backward pass of m - held + 1: B; then all again with I, and the W
//   of m - held - deferred + 2; at last the step's end
//
//   cost of a step = median over calls of Measure, but the first, of its mean in one
//
// Where each rank has a processor, it then does the same while the others wait, as they wait for
// messages: processors share caches, memory and clocks, so that a step beside one that waits is up
// to a fifth shorter than beside one that works, and schedules differ in how long ranks wait.
//
// Each kind has a step's first micro-batch among the others, as in a run: it finds caches cold.
//
// A mean, since a run pays for every page fault and every tick of the system, which a median of
// short steps would not see; the median over calls leaves out a call that was disturbed as a whole.
// Times are processor time (timed_work.h). Calls take turns with runs, so that a machine whose
// speed drifts does so for both.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "kernels/executor/crew.h"
#include "kernels/executor/play.h"
#include "kernels/transformer/rank.h"
#include "kernels/transformer/run_costs.h"
#include "kernels/transformer/stage_load.h"
#include "kernels/transformer/timed_work.h"
#include "schedules/schedule.h"

namespace pipescope::transformer {

class Calibration {
 public:
  // Of the schedule the ranks' loads are used, not its order.
  // `crew` outlives it: each of its processes plays its rank, all at once; and so does `maker`.
  static Result<std::unique_ptr<Calibration>> Make(const ModelConfig& model,
                                                   const schedules::Schedule& schedule,
                                                   int replicas, int expert_ranks,
                                                   executor::Crew& crew,
                                                   RankMaker* maker = nullptr);

  // A step of every rank; the first call warms up, where more follow. Fails as a step does.
  Status Measure();

  // Of a schedule with the same loads, once Measure was called. A pair is the
  // steps of its F and of its B. Where the crew leads; elsewhere of its own rank alone.
  Result<RunCosts> Costs(const schedules::Schedule& schedule) const;

 private:
  struct Samples {
    std::vector<double> run, before, alone;  // [call]
  };
  using Key = std::pair<int, int>;  // kind, stage; kStepEnd, place in here_
  static constexpr int kStepEnd = -1;

  explicit Calibration(executor::Crew& crew) : crew_(crew) {}

  struct Player;  // one rank's part
  Status MeasureAlone();
  void Keep(const ActionTimes& times);
  void KeepAlone(const ActionTimes& times);
  std::vector<TimedStep> Medians(const Key& key) const;
  TimedAction Cost(size_t i, const schedules::Action& action) const;
  TimedAction StepEnd(size_t i) const;

  executor::Crew& crew_;
  Training training_;
  std::vector<int> here_;  // ranks that are
  executor::Works ranks_;  // [of here_]
  std::vector<RankLoad> loads_;
  executor::Handed handed_;
  std::map<Key, std::vector<Samples>> samples_;  // [step]
};

// Seconds from the end of a step that gives to the start of the one that takes on another rank that
// has nothing else to do, for a message of so many values. Awake: as ranks wait that have a
// processor each (executor/spin.h), all alike but where others took the processor meanwhile: the
// lowest decile. Otherwise they are woken, from a processor that sleeps more or less deeply: the
// median. Where the crew leads; elsewhere 0.
Result<double> MeasureHop(executor::Crew& crew, bool awake, size_t values = 0);

}  // namespace pipescope::transformer
