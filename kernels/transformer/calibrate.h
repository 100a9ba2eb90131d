// What the steps of a model take alone: the measured costs that a prediction starts from.
//
// Each rank plays its stages alone (rank_play.h): no messages, no waiting, but the same loop, on
// the thread and the heap that its steps run with (worker.h; on another heap, laid out otherwise,
// steps of hidden 64 took a tenth less), beside those of the others (they share caches and memory
// and, where they are more than processors, turns). Of each stage it holds as many micro-batches as
// the schedule makes it hold at most, since how cold an activation is in the cache counts
// (stage_load.h; of a model of hidden 64, 4 % of a step between 1F1B's two and GPipe's eight):
//
//   F of micro-batch m, then the backward pass of m - held + 1: B; then all again with I, and the W
//   of m - held - deferred + 2, each order from cold caches, as a run; at last the step's end
//
//   cost, in one call, of the n-th F (I, W, B) of a stage on a rank = that of the n-th one played
//
// so a run's first micro-batches, which find weights and buffers cold, are priced as such: of a
// model of hidden 64 they take up to a fourth longer.
//
// Each call of Measure gives costs of its own, a draw of what a step may take: with the page faults
// and ticks of the system that a run pays for as well, and with one rank slow while the other is
// not, for which it waits. A prediction is the median of those from single calls, as a measured
// step is the median of single runs.
//
// Where each rank has a processor, it then does the same while the others wait, as they wait for
// messages: processors share caches, memory and clocks, so that a step beside one that waits is up
// to a fifth shorter than beside one that works, and schedules differ in how long ranks wait.
//
//   alone / beside = median over calls of the time of a step in all its actions, of a kind and
//   stage
//
// Times are processor time (timed_work.h). Calls take turns with runs, so that a machine whose
// speed drifts does so for both.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "kernels/executor/crew.h"
#include "kernels/executor/play.h"
#include "kernels/transformer/play_costs.h"
#include "kernels/transformer/rank.h"
#include "kernels/transformer/rank_play.h"
#include "kernels/transformer/run_costs.h"
#include "kernels/transformer/stage_load.h"
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

  // Before it measures: another schedule with the same loads.
  void Serve(const schedules::Schedule& schedule);

  // A step of every rank. Fails as a step does.
  Status Measure();
  // All calls so far warmed up: they don't count, where others follow.
  void Warmed() { first_ = beside_.size(); }

  // What its ranks here took in all, of each call that counts, side by side.
  std::vector<double> Seconds() const;

  // Of a schedule that it serves: those of each call that counts. A pair is the steps of its F and
  // of its B. Where the crew leads; elsewhere they hold no rank.
  Result<std::vector<RunCosts>> Costs(const schedules::Schedule& schedule) const;

 private:
  explicit Calibration(executor::Crew& crew) : crew_(crew) {}

  RankPlay PlayOf(size_t place);
  std::vector<bool> Orders() const;  // whether they split; those that are needed
  void OnRanks(const std::function<void(size_t place)>& run) const;
  Status MeasureBeside(std::vector<PlayTimes>& times);
  Status PlayBeside(std::vector<RankPlay>& plays, bool split);
  Status EndStep(std::vector<RankPlay>& plays);
  void CancelIfFailed(const RankPlay& play) const;
  Status MeasureAlone(std::vector<PlayTimes>& times);
  void PlayAlone(RankPlay& play, size_t place, bool split) const;
  AloneShares SharesOf(size_t place, ActionTimes PlayTimes::*order) const;

  executor::Crew& crew_;
  Training training_;
  std::vector<int> here_;  // ranks that are
  executor::Works ranks_;  // [of here_]
  std::vector<RankLoad> loads_;
  executor::Handed handed_;
  bool whole_ = false, split_ = false;                  // which orders schedules need
  std::vector<std::vector<PlayTimes>> beside_, alone_;  // [call][of here_]
  size_t first_ = 0;                                    // call that counts
};

}  // namespace pipescope::transformer
