// A schedule run for real, its ranks threads of this process.
//
//   auto run = RunOnThreads(schedule, works, {});
//   if (!run) return Fail(run.error());      // "rank 3, action 17 of 42, 2F5: attention F: ..."
//   analyse(run->timeline);
//
// Ranks start together, and wait awake for messages where each has a processor (spin.h).
//
// An order that is not sound (schedules::Check) is refused before anything starts. A rank that gets
// nowhere for `patience` while all others wait ends the run, with where every rank stands.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "kernels/executor/work.h"
#include "schedules/schedule.h"
#include "sim/base/result.h"
#include "sim/timeline/timeline.h"

namespace pipescope::executor {

struct ThreadOptions {
  std::chrono::milliseconds patience{60'000};
  bool may_wait_awake = true;
};

struct Run {
  timeline::Timeline timeline;
};

// `works`: one for each rank; they are called until this returns.
Result<Run> RunOnThreads(const schedules::Schedule& schedule,
                         const std::vector<std::unique_ptr<RankWork>>& works,
                         const ThreadOptions& options);

}  // namespace pipescope::executor
