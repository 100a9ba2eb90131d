// A schedule run for real, its ranks threads of this process.
//
//   auto run = RunOnThreads(schedule, works, {});
//   if (!run) return Fail(run.error());      // "rank 3, action 17 of 42, 2F5: attention F: ..."
//   analyse(run->timeline);
//
// Ranks start together, have processors of their own where these suffice (processors.h), and then
// wait awake for messages (spin.h).
//
// An order that is not sound (schedules::Check) is refused before anything starts. A rank that gets
// nowhere for `patience` while all others wait ends the run, with where every rank stands.
#pragma once

#include <chrono>

#include "kernels/executor/crew.h"
#include "kernels/executor/processors.h"

namespace pipescope::executor {

struct ThreadOptions {
  std::chrono::milliseconds patience{60'000};
  bool may_wait_awake = true;
  bool may_take_turns = true;  // where ranks are more than processors (processors.h)
  bool records = true;         // else the timeline is empty; what recording costs is measured by it
};

// `works`: one for each rank; they are called until this returns.
Result<Run> RunOnThreads(const schedules::Schedule& schedule, const Works& works,
                         const ThreadOptions& options);

class ThreadCrew : public Crew {
 public:
  explicit ThreadCrew(const ThreadOptions& options = {}) : options_(options) {}
  bool leads() const override { return true; }
  std::optional<int> ranks() const override { return {}; }
  std::vector<int> RanksOf(int ranks) const override;
  void OnRanks(const Works& works, int ranks,
               const std::function<void(size_t place)>& run) override;
  Result<Run> RunStep(const schedules::Schedule& schedule, const Works& works) override {
    return RunOnThreads(schedule, works, options_);
  }
  Result<std::vector<std::string>> Gather(const std::string& words) override {
    return std::vector<std::string>{words};
  }
  Result<std::string> Share(const std::string& words) override { return words; }
  void EndFor(const std::string&) override {}
  void Through() override {}
  bool AllThrough() override { return true; }
  Post* post() override { return nullptr; }
  kernels::Turns* TurnsFor(const Works& works, int ranks) override {
    return (turns_ = MakeTurns(works, ranks)).get();
  }
  int processors() const override;
  int processes_here() const override { return 1; }
  Duration clock_accuracy() const override { return {}; }

 private:
  const ThreadOptions options_;
  std::unique_ptr<kernels::Turns> turns_;
};

}  // namespace pipescope::executor
