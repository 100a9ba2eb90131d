// A schedule run for real, its ranks processes of a job that mpirun has started, on one machine or
// many: the same loop (rank_run.h) over messages (post.h).
//
// Each process has one rank, its own number's. Those of a machine that has fewer processors take
// turns on them, through memory that they share (kernels/turns.h). Before a step all set their
// clocks against rank 0's:
//
//   offset = clock of rank - (sent + back) / 2      of the fastest of kPings pings
//   |error| <= (back - sent) / 2                    the accuracy that is told
//
// and start together. Processes of rank 0's machine read the same clock as it does: an offset that
// is within the accuracy is taken as none. After it, records come to rank 0, which makes the
// Timeline of them. A failure anywhere ends all processes (watch.h), so that whoever waits need not
// come back.
//
// Example: two processes of one machine, a ping of 1.2 us: times of the two agree within 0.6 us.
#pragma once

#include <memory>

#include "kernels/executor/crew.h"
#include "kernels/executor/watch.h"

namespace pipescope::executor {

// Which process of how many this is, as its launcher says.
struct ProcessPlace {
  int rank = 0, ranks = 1;
  int ranks_here = 1;  // on each machine
};

struct ProcessOptions {
  std::string library;  // wire_library.h
  std::chrono::milliseconds patience{60'000};
};

class ProcessCrew : public Crew {
 public:
  // Fails, on every process, where the job is not the one that `place` says. `vigil` outlives it.
  static Result<std::unique_ptr<ProcessCrew>> Join(const ProcessPlace& place,
                                                   const ProcessOptions& options, Vigil& vigil);
  ProcessCrew(const ProcessPlace& place, const ProcessOptions& options, std::unique_ptr<Wire> wire,
              Vigil& vigil);

  bool leads() const override { return place_.rank == 0; }
  std::optional<int> ranks() const override { return place_.ranks; }
  std::vector<int> RanksOf(int) const override { return {place_.rank}; }
  void OnRanks(const Works& works, int ranks,
               const std::function<void(size_t place)>& run) override;
  Result<Run> RunStep(const schedules::Schedule& schedule, const Works& works) override;
  Result<std::vector<std::string>> Gather(const std::string& words) override;
  Result<std::string> Share(const std::string& words) override;
  void EndFor(const std::string& why) override { stop_.Fail(why); }
  void Through() override;
  bool AllThrough() override;
  Post* post() override { return &post_; }
  kernels::Turns* TurnsFor(const Works& works, int ranks) override;
  int processors() const override;
  int processes_here() const override { return place_.ranks_here; }
  Duration clock_accuracy() const override { return accuracy_; }

  // Ends the job where it has failed; else returns.
  void EndIfStopped() {
    if (stop_.stopped()) watch_.End(stop_.message(), true);
  }

 private:
  Status SetClocks();
  Status Ping(int rank);
  Status Pong();

  Status CountProcessors();
  Status ShareTurns();
  // Everyone's words, in the order of their ranks.
  Result<std::vector<std::string>> Everywhere(const std::string& words);

  const ProcessPlace place_;
  int fewest_processors_ = 1;  // that a machine of the job has
  Vigil& vigil_;
  Stop stop_;
  Post post_;
  std::vector<std::chrono::nanoseconds> offsets_;  // [rank] against rank 0's
  Duration accuracy_;
  std::vector<bool> through_;              // [rank]
  std::unique_ptr<kernels::Turns> turns_;  // of the machine's processes; null: they need none
  Watch watch_;
};

}  // namespace pipescope::executor
