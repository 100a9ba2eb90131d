// The simulator's prediction of a real run: its engine on the run's own steps, with measured costs.
//
//   step     its calibrated time, on one processor of `processors` that all ranks share
//   lane     steps of an action one after the other; the next action when all of them have ended
//   message  `hop` from the end of the step that gives to the start of the one that takes, if that
//            waits; no processor
//   end      a rank's gradients come in when those of all that hold copies are out
//
// With no more ranks than processors each has its own. With more, R ranks that could run share C
// processors evenly: a simplification of a scheduler that gives turns of some milliseconds.
#pragma once

#include "kernels/transformer/calibrate.h"
#include "schedules/schedule.h"
#include "sim/base/units.h"
#include "sim/timeline/timeline.h"

namespace pipescope::cli {

struct Machine {
  int processors = 1;
  Duration hop;
};

// The schedule is sound; the calibration has its stages on its ranks.
timeline::Timeline PredictRun(const schedules::Schedule& schedule,
                              const transformer::Calibration& costs, const Machine& machine);

}  // namespace pipescope::cli
