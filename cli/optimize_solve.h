// `schedule optimize` between its inputs and its output: methods, and what orders compare to.
#pragma once

#include <string>
#include <vector>

#include "cli/optimize_inputs.h"
#include "schedules/optimize/placed_problem.h"
#include "schedules/schedule.h"
#include "sim/base/result.h"

namespace pipescope::cli {

// One line of the comparison.
struct Compared {
  std::string name;
  double span = 0, makespan = 0, bubble = 0, peak = 0;
  bool over = false;  // the memory limit, on some rank

  double value(schedules::Goal goal) const {
    return goal == schedules::Goal::kSpan ? span : makespan;
  }
};

struct Outcome {
  schedules::Placed best;
  schedules::Schedule schedule;
  double lower_bound = 0;
  bool proven = false;
  std::vector<Compared> compared;  // the optimized one first
};

Result<Outcome> Solve(const schedules::PlacedProblem& problem, const OptimizeOptions& options);

}  // namespace pipescope::cli
