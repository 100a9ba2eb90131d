#include "sim/result/step_figures.h"

namespace pipescope {

StepFigures FiguresOf(const StepResult& r) {
  StepFigures f;
  f.schedule = r.schedule;
  f.gpus = r.gpus;
  f.step_time = r.step_time;
  f.tokens_per_second = r.tokens_per_second;
  f.mfu_causal = r.mfu_causal;
  f.bubble_rate = r.bubbles.makespan_rate;
  f.breakdown = r.mean_breakdown();
  f.bound_by = r.bound_by;
  f.fits = r.fits;
  for (size_t i = 0; i < r.memory.size(); ++i) {
    if (i > 0 && r.memory[i].total_peak <= f.memory_peak) continue;
    f.memory_peak = r.memory[i].total_peak;
    f.memory_limit = r.memory[i].limit;
    f.fullest_rank = static_cast<int>(i);
  }
  return f;
}

}  // namespace pipescope
