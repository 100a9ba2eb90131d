// The answer: one step under one schedule, as plain data for every report.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "sim/base/units.h"
#include "sim/costs/efficiencies.h"
#include "sim/costs/estimate.h"
#include "sim/result/link_use.h"
#include "sim/result/resource_use.h"
#include "sim/timeline/breakdown.h"
#include "sim/timeline/bubbles.h"
#include "sim/timeline/memory.h"
#include "sim/timeline/timeline.h"

namespace pipescope {

// Of one GPU of a pipeline rank.
struct RankMemory {
  Bytes parameters;
  Bytes gradients;
  Bytes optimizer;
  Bytes activations_peak;
  Bytes buffers;
  Bytes total_peak;
  Bytes limit;
  Duration peak_time;
  std::vector<timeline::Holder> held;  // whose activations they are at the peak
};

// The step with a tenth more of one resource (sim/sensitivity.h).
struct Sensitivity {
  std::string resource;  // "NVLink"
  std::string change;    // "160 GB/s to 176 GB/s a GPU"
  Duration step_time;
  bool fits = true;
};

// A cost that was not measured for its shape, and its share of all kernels and collectives.
struct GuessedCost {
  std::string what;
  costs::Origin origin = costs::Origin::kAnalytic;
  double share = 0;
};

// sim/cost_shares.h
struct CostShares {
  std::array<double, costs::kOrigins> by_origin = {};
  Duration spread;                   // the step takes its time +- this
  std::vector<GuessedCost> guessed;  // largest share first
};

struct StepResult {
  std::string experiment;
  std::string schedule;
  std::string fidelity;
  std::string engine;
  std::string model;
  std::string cluster;
  std::string plan;    // "PP16 x DP128, EP64, ZeRO-1, ..."
  std::string layout;  // "Etttt|tttt|..."
  int gpus = 0;
  int microbatches = 0;
  Duration step_time;
  Duration span;  // of steps that follow without waiting for the slowest rank (breakdown.h)
  CostShares costs;
  bool measured_costs = false;  // a table of measured costs was given
  double tokens_per_second = 0;
  double tokens_per_day = 0;
  double mfu_causal = 0;  // of the BF16 peak
  double mfu_non_causal = 0;
  timeline::Timeline timeline;
  timeline::Bubbles bubbles;
  std::vector<timeline::Breakdown> breakdown;       // by rank
  std::vector<timeline::ActionTimes> action_times;  // by rank
  timeline::OverlapSummary overlap;
  std::vector<timeline::MemoryCurve> activations;  // by rank
  std::vector<RankMemory> memory;                  // by rank
  std::vector<int32_t> critical_path;
  ResourceUse resources;  // empty where actions have fixed lengths
  LinkUse links;          // empty but at fidelity flow
  bool traced = false;    // of a profiler's trace: what a trace does not tell is 0 or empty
  bool fits = true;       // every rank within its GPU's memory
  std::string bound_by;   // "computation", "exposed communication", "pipeline bubble"
  std::vector<costs::Assumption> assumptions;
  std::vector<Sensitivity> sensitivities;  // largest gain first; empty where not asked for

  timeline::Breakdown mean_breakdown() const;
};

}  // namespace pipescope
