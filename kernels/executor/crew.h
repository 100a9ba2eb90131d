// Who runs the ranks of a schedule: threads of this process, or a process for each rank.
//
//   crew.RanksOf(ranks)           those that are here: their RankWorks are made here
//   crew.RunStep(schedule, works) one step of all of them, together
//   crew.Gather(words)            everyone's, where the crew leads
//
// Processes do the same calls in the same order; where one waits for others it fails when the job
// has failed.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/executor/work.h"
#include "kernels/turns.h"
#include "schedules/schedule.h"
#include "sim/base/result.h"
#include "sim/base/units.h"
#include "sim/timeline/timeline.h"

namespace pipescope::executor {

class Post;

struct Run {
  timeline::Timeline timeline;
};

using Works = std::vector<std::unique_ptr<RankWork>>;

class Crew {
 public:
  virtual ~Crew() = default;

  // Whether results come together here: in one process, and only there.
  virtual bool leads() const = 0;
  // How many ranks a schedule must have; none where any number may be.
  virtual std::optional<int> ranks() const = 0;
  virtual std::vector<int> RanksOf(int ranks) const = 0;
  // Calls `run` with the place of each rank that is here, all at once, on the threads that run
  // their steps: bound or taking turns as there, with the same heaps.
  virtual void OnRanks(const Works& works, int ranks,
                       const std::function<void(size_t place)>& run) = 0;
  // `works`: one for each rank that is here. The timeline is empty where the crew does not lead.
  virtual Result<Run> RunStep(const schedules::Schedule& schedule, const Works& works) = 0;

  // Everyone's words, in the order of their ranks, where the crew leads; elsewhere nothing.
  virtual Result<std::vector<std::string>> Gather(const std::string& words) = 0;
  // The leader's words, everywhere.
  virtual Result<std::string> Share(const std::string& words) = 0;
  // Goes on when all have come.
  Status Meet() {
    if (const auto all = Gather(""); !all) return Fail(all.error());
    if (const auto on = Share(""); !on) return Fail(on.error());
    return {};
  }
  // Work that this process does with others outside of a step has failed: where they are processes
  // the job ends, since they may wait for it.
  virtual void EndFor(const std::string& why) = 0;
  // Of a stretch of work that all do side by side: this process is through; are all?
  virtual void Through() = 0;
  virtual bool AllThrough() = 0;

  // Between processes; null where there is but one.
  virtual Post* post() = 0;
  // Those that ranks take that share processors, until the next call; null where they need not, or
  // a device works for them. `works` are those that are here.
  virtual kernels::Turns* TurnsFor(const Works& works, int ranks) = 0;
  // How many processors the ranks have, those of all machines.
  virtual int processors() const = 0;
  // Processes on the leader's machine: the first ones.
  virtual int processes_here() const = 0;
  // By how much the clocks of processes may differ in the timeline of the last step.
  virtual Duration clock_accuracy() const = 0;
};

}  // namespace pipescope::executor
