// Calibrates, predicts and runs a model under several schedules on the processors at hand.
//
//   once a repetition, in turn   the loads that schedules put on ranks are calibrated
//                                (kernels/transformer), each schedule runs one step
//   then                         medians over the repetitions but the first ones, which warm up,
//                                and, where there are others, but those that other processes
//                                disturbed (interference.h); how many: validate_rounds.h
//
// Where ranks are processes of a job (crew.h), all of them do this in the same order, and what the
// next repetition depends on is decided where the crew leads.
//
// In turn, so that a machine whose speed drifts does so for all of them alike. Losses of every step
// are held against those of all stages on one rank.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "kernels/executor/crew.h"
#include "kernels/transformer/rank.h"
#include "reports/validate_report.h"
#include "schedules/schedule.h"
#include "sim/base/result.h"
#include "sim/base/units.h"

namespace pipescope::cli {

struct ValidateGroup {
  std::string model;
  int ranks = 2;         // of a pipeline
  int microbatches = 8;  // of a pipeline
  int replicas = 1;      // pipelines
  int expert_ranks = 1;  // of them that share their experts
  int layers = 4;
  int repetitions = 5;
  // Seconds in which to repeat further, until so many are undisturbed and medians are well known.
  double patience = 0;
  bool bf16 = false;
  bool fp8 = false;
  bool timelines = false;                   // kept in the cases
  transformer::RankMaker* maker = nullptr;  // null: ranks run on the CPU
  std::chrono::milliseconds hang_after{60'000};
};

// Of a message between threads, to a rank that waits awake, and to one that is woken.
struct ThreadHops {
  Duration awake, woken;
};

// Fails where a schedule cannot be made or run, with its name. The cases are complete where the
// crew leads; elsewhere they are to be thrown away.
Result<std::vector<reports::ValidateCase>> RunGroup(const ValidateGroup& group,
                                                    const std::vector<std::string>& schedules,
                                                    const ThreadHops& hops, executor::Crew& crew);

}  // namespace pipescope::cli
