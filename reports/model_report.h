// A model by kind of layer: parameters, FLOPs and HBM bytes of each pass, saved activations.
#pragma once

#include <string>

#include "sim/model/config.h"
#include "sim/model/operations.h"

namespace pipescope::reports {

// Figures are for one sequence of `shape.sequence` tokens on GPUs that hold all experts.
std::string ModelText(const model::ModelConfig& model, const model::WorkShape& shape);
std::string ModelJson(const model::ModelConfig& model, const model::WorkShape& shape);

}  // namespace pipescope::reports
