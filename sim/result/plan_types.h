// What a plan's search found: the best ways to run a model on a cluster, and what was left out why.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sim/result/step_figures.h"

namespace pipescope {

// One way to run the model; what it does not name is the experiment's.
struct PlanChoice {
  int gpus = 0;
  int pipeline = 1, data = 1, tensor = 1, expert = 1;
  int64_t micro_batch = 1;  // sequences
  std::string recompute;
  std::string schedule;
  int chunks = 0;  // 0: the schedule's own
  int sms = 0;     // for communication

  // "a.b" and its value, as --set takes them.
  std::vector<std::pair<std::string, std::string>> Overrides() const;
};

struct PlanEntry {
  PlanChoice choice;
  Duration bound;  // no more than the step's time, found without simulating it
  StepFigures figures;
};

struct PlanCounts {
  int64_t considered = 0;
  int64_t impossible = 0;  // do not divide, or the schedule cannot be built for them
  int64_t parameters = 0;  // parameters and gradients alone are over the memory
  int64_t memory = 0;      // with optimizer, activations and buffers
  int64_t bound = 0;       // cannot be among the best nor on the front
  int64_t simulated = 0;
  int64_t refused = 0;  // by the simulation
};

struct PlanReport {
  std::string experiment, experiment_file, model, cluster;
  Bytes limit;
  int64_t tokens = 0;       // of a step
  double front_within = 0;  // times the least GPU time found
  PlanCounts counts;
  std::vector<PlanEntry> best;   // fastest first
  std::vector<PlanEntry> front;  // of time, memory and GPUs, fastest first
};

}  // namespace pipescope
