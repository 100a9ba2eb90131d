// A sweep: every point of a grid simulated, on several threads.
//
// A point that is refused or does not fit in memory is a result like any other. Points are
// independent of each other, so the same point is the same line whatever the number of threads.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/result/sweep_point.h"
#include "sim/step_run.h"
#include "sim/sweep/grid.h"

namespace pipescope::sweep {

struct Sweep {
  std::string experiment;              // file
  std::vector<std::string> overrides;  // of every point, "a.b=c"
  Grid grid;
  Fidelity fidelity = Fidelity::kOp;
};

// Fails where no point could be right: the experiment itself is wrong, or an axis names a field
// that experiments do not have.
Status CheckSweep(const Sweep& sweep);

SweepPoint RunPoint(const Sweep& sweep, int64_t index);

// Runs `points` and hands each on as it finishes, one at a time, until `stop` turns true or `done`
// returns false.
void RunPoints(const Sweep& sweep, const std::vector<int64_t>& points, int jobs,
               const std::function<bool(const SweepPoint&)>& done, std::atomic<bool>& stop);

}  // namespace pipescope::sweep
