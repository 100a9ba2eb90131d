// What a tenth more of each resource would buy: the step simulated again, one change at a time.
//
//   gain = 1 - step time with the change / step time
//
// A resource that bounds the step gains nearly its tenth; one that is hidden behind another gains
// nothing. Gains do not add up: where two resources bound different parts, both count.
//
// Example: DeepSeek-V3 under DualPipe on H800 answers to GEMM efficiency (a tenth more: 5 %) before
// anything else, and loses by more SMs for communication.
#pragma once

#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/experiment/experiment.h"
#include "sim/result/result_types.h"
#include "sim/simulate.h"

namespace pipescope {

// Of the same schedule, largest gain first. Changes that mean nothing here (NICs of a single node,
// communication SMs without experts) are left out. What was measured changes as the analytic model
// does (costs::Basis). A change after which the step does not fit in memory tells so.
Result<std::vector<Sensitivity>> SensitivitiesOf(const Experiment& experiment,
                                                 const std::string& schedule, Fidelity fidelity);

}  // namespace pipescope
