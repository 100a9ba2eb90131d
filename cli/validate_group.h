// What validate runs side by side: schedules of one model, number of ranks and of micro-batches.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "kernels/transformer/config.h"
#include "kernels/transformer/rank.h"
#include "schedules/schedule.h"
#include "sim/base/result.h"

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

// Of the group's layers and precision. Fails where there is no such model.
Result<transformer::ModelConfig> ModelOf(const ValidateGroup& group);

// A family's, or a file's (.csv), which has to be of the group's shape; one that the model can be
// trained by. Fails with what has to be given instead.
Result<schedules::Schedule> ScheduleOf(const ValidateGroup& group,
                                       const transformer::ModelConfig& model,
                                       const std::string& name);

// Whether all schedules can be made and run, without running any; fails with the name of one.
Status CheckGroup(const ValidateGroup& group, const std::vector<std::string>& schedules);

}  // namespace pipescope::cli
