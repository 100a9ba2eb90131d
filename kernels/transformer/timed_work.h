// A rank's work with every step timed by the processor time of its thread: one for each play of it
// (executor/play.h), since each lane is timed by one thread.
//
//   run       of the step
//   before    from the end of the step before to its start: the executor's own work, the plan of an
//             action, memory given back
//
// Steps that a device runs are timed by its events instead (executor/work.h's `when`), once it has
// run them: `before` is what it waited for between two.
//
// Processor time leaves out what others took of the processor meanwhile, so that a calibration
// holds on a busy machine too. Reading its clock costs a system call: its time is taken off, and so
// is what a step spent looking for the letters of others.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "kernels/executor/thread_seconds.h"
#include "kernels/executor/work.h"

namespace pipescope::transformer {

struct StepTimes {
  double run = 0, before = 0;  // seconds
};

// By (kind of action, stage of its forward half, or its only one): [how many came before][step]
using ActionKey = std::pair<int, int>;
using ActionTimes = std::map<ActionKey, std::vector<std::vector<StepTimes>>>;

class TimedWork : public executor::RankWork {
 public:
  // Its step's end is empty: it needs all ranks.
  explicit TimedWork(executor::RankWork& work)
      : work_(work), clock_(executor::ThreadSecondsCost()) {}

  bool computes_here() const override { return work_.computes_here(); }
  const std::vector<timeline::Label>& labels() const override { return work_.labels(); }
  executor::Steps Plan(const schedules::Action& action, executor::Ports& ports) override;
  executor::Steps StepEnd() override { return {}; }
  void Cancel() override { work_.Cancel(); }

  // Asks devices; then the times are complete.
  Status Settle();
  const ActionTimes& times() const { return times_; }

 private:
  struct Asked {
    StepTimes* times = nullptr;
    timeline::Lane lane = timeline::Lane::kCompute;
    std::function<Result<executor::Span>()> when;
  };

  executor::RankWork& work_;
  const double clock_;
  std::vector<Asked> asked_;                            // in the order of their actions
  std::array<double, timeline::kLanes> last_end_ = {};  // a lane is a thread
  ActionTimes times_;
};

}  // namespace pipescope::transformer
