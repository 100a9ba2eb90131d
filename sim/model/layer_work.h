// The phases of a layer: what operations.h says of them, kernel by kernel.
#pragma once

#include "sim/model/operations.h"

namespace pipescope::model {

// All that comes before the dispatch, or before a dense layer's MLP: norms, attention, residual and
// router. `kind` tells windows and experts.
Phase AttentionForward(const ModelConfig& model, const WorkShape& shape, LayerKind kind);
Phase AttentionInputGrad(const ModelConfig& model, const WorkShape& shape, LayerKind kind);
Phase AttentionWeightGrad(const ModelConfig& model, const WorkShape& shape, LayerKind kind);

Phase MlpForward(const ModelConfig& model, const WorkShape& shape, bool moe);
Phase MlpInputGrad(const ModelConfig& model, const WorkShape& shape, bool moe);
Phase MlpWeightGrad(const ModelConfig& model, const WorkShape& shape, bool moe);

}  // namespace pipescope::model
