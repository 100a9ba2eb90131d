// Which layers each stage holds: the experiment's layout where it has one for that many stages.
#pragma once

#include "sim/base/result.h"
#include "sim/experiment/experiment.h"
#include "sim/model/layout.h"

namespace pipescope {

struct Stages {
  model::Layout layout;
  bool given = false;  // by the experiment
};

// The experiment's layout for that many stages, else a balanced one. One for another number of
// stages serves other schedules; one that is wrong is an error whatever the schedule.
Result<Stages> ChooseLayout(const Experiment& experiment, int stages);

}  // namespace pipescope
