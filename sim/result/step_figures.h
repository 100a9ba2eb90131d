// A step in a few figures: what sweeps store and plans are ranked by.
#pragma once

#include <string>

#include "sim/result/result_types.h"

namespace pipescope {

struct StepFigures {
  std::string schedule;
  int gpus = 0;
  Duration step_time;
  double tokens_per_second = 0;
  double mfu_causal = 0;
  double bubble_rate = 0;         // of the pipeline's makespan
  timeline::Breakdown breakdown;  // mean over ranks
  std::string bound_by;
  Bytes memory_peak, memory_limit;  // of the fullest rank, and its GPU's memory
  int fullest_rank = 0;
  bool fits = true;
};

StepFigures FiguresOf(const StepResult& result);

}  // namespace pipescope
