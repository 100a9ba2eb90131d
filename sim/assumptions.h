// What a prediction rests on, in words, each with where it is from: what the experiment says, what
// the model takes for granted, and the efficiencies of kernels (sim/costs/efficiencies.h).
//
//   {"communication SMs beside computation", "20 of 132", "the experiment"}
#pragma once

#include <string>
#include <vector>

#include "sim/costs/efficiencies.h"
#include "sim/costs/routing.h"
#include "sim/experiment/experiment.h"
#include "sim/stages.h"
#include "sim/step_run.h"

namespace pipescope {

// `made_for` is MadeSchedule's (make_schedule.h).
std::vector<costs::Assumption> AssumptionsOf(const Experiment& experiment,
                                             const costs::Spread& spread, const Stages& stages,
                                             const std::string& made_for, Fidelity fidelity);

}  // namespace pipescope
