// Whether the parts of an experiment fit each other; what does not is noted where the file says it.
#pragma once

#include <string>
#include <vector>

#include "sim/base/fields.h"
#include "sim/experiment/experiment.h"

namespace pipescope {

// Plan, model and cluster: GPUs, layers, number formats, and everything that is split divides
// evenly, as Megatron demands too.
void CheckFit(Fields& root, const Experiment& experiment);

// Stages that also send, or compute their forward pass again, were not measured as three passes.
void CheckStageTimes(Fields& prices, const Experiment& experiment);

// They are of the file's model and micro-batch: `overrides` may not change those alone.
void CheckStageTimesHold(Fields& prices, const std::vector<std::string>& overrides);

}  // namespace pipescope
