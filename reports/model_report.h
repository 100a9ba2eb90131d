// A model by kind of layer: parameters, FLOPs and HBM bytes of each pass, saved activations.
#pragma once

#include <string>
#include <vector>

#include "sim/model/config.h"
#include "sim/model/operations.h"

namespace pipescope::reports {

// Figures are for one sequence of `shape.sequence` tokens on GPUs that hold all experts.
std::string ModelText(const model::ModelConfig& model, const model::WorkShape& shape);
// Every kernel of each kind of layer, in the order they run, with its GEMM's shape.
std::string KernelsText(const model::ModelConfig& model, const model::WorkShape& shape);
// A line a model: parameters, active ones, layers, attention, experts.
std::string ModelsText(const std::vector<model::ModelConfig>& models);
std::string ModelsJson(const std::vector<model::ModelConfig>& models);

std::string ModelJson(const model::ModelConfig& model, const model::WorkShape& shape);

}  // namespace pipescope::reports
