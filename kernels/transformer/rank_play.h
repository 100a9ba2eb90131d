// One rank's part of a calibration: its stages without the others' messages, every step timed.
//
//   whole   F and B, in an order that holds what the schedule makes it hold (stage_load.h)
//   split   the same with I and W
//   end     the step's end, gradients out and in among the ranks
//
// What comes n-th in an order is the cost of what comes n-th in a run.
#pragma once

#include <functional>
#include <vector>

#include "kernels/executor/crew.h"
#include "kernels/executor/play.h"
#include "kernels/transformer/stage_load.h"
#include "kernels/transformer/timed_work.h"

namespace pipescope::transformer {

struct PlayTimes {
  ActionTimes whole, split;
  std::vector<StepTimes> end;
};

class RankPlay {
 public:
  // All outlive it. `work` is that of `rank`.
  RankPlay(int rank, const RankLoad& load, const executor::Handed& handed, executor::RankWork& work,
           executor::Crew& crew)
      : rank_(rank), load_(load), handed_(handed), work_(work), crew_(crew) {}

  // One of the orders, timed.
  void Play(bool split);
  // The same again, untimed.
  void PlayOn(bool split);
  // `meet` returns when all ranks have called it: gradients must be out on all of them before they
  // come in on one. Where letters carry them, ranks meet before the first step as well, twice: what
  // looks bring while they meet is work of the step that takes it.
  void StepEnd(const std::function<void()>& meet);

  const Status& status() const { return status_; }
  const PlayTimes& times() const { return times_; }

 private:
  ActionTimes PlayOnce(bool split);
  void AskDevice(const executor::Step& step, StepTimes& times);
  void Note(Status status);

  const int rank_;
  const RankLoad& load_;
  const executor::Handed& handed_;
  executor::RankWork& work_;
  executor::Crew& crew_;
  PlayTimes times_;
  Status status_;
};

}  // namespace pipescope::transformer
