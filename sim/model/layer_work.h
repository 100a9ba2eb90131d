// The phases of a layer: what operations.h says of them, kernel by kernel.
#pragma once

#include "sim/model/operations.h"

namespace pipescope::model {

// All that comes before the dispatch, or before a dense layer's MLP: norms, attention, residual and
// router. `kind` tells windows and experts.
std::vector<Phase> AttentionForward(const ModelConfig& model, const WorkShape& shape,
                                    LayerKind kind);
std::vector<Phase> AttentionInputGrad(const ModelConfig& model, const WorkShape& shape,
                                      LayerKind kind);
std::vector<Phase> AttentionWeightGrad(const ModelConfig& model, const WorkShape& shape,
                                       LayerKind kind);

std::vector<Phase> MlpForward(const ModelConfig& model, const WorkShape& shape, bool moe);
std::vector<Phase> MlpInputGrad(const ModelConfig& model, const WorkShape& shape, bool moe);
std::vector<Phase> MlpWeightGrad(const ModelConfig& model, const WorkShape& shape, bool moe);

}  // namespace pipescope::model
