// What a block keeps of one micro-batch between its passes.
//
// From forward to backward (bytes per token, MoE layer, V3's recipe; d hidden, s bytes per FP8
// value with its scale, k experts per token, f expert width):
//   2 d  layer input      2 (q_lora + kv_lora + rope)  projections before their norms
//   1.5 h v  attention output in E5M6      4 h  its log-sum-exp      2 d  input of the second norm
//   k d s  dispatched rows      2 k f s + 2 f s  inputs of SwiGLU      router's scores
// RMSNorm's and the up-projections' outputs and SwiGLU's output are computed again (V3, section
// 3.2.3). DeepSeek-V3, 4096 tokens: 0.6 GiB a layer.
//
// Under tensor parallelism a GPU keeps its share of the heads, columns and tokens: a t-th of all.
// In BF16 the tensors are those of saved_tensors.h.
//
// A deferred weight gradient keeps, from its input gradient on, what its GEMMs multiply: every
// linear layer's input and output gradient, in FP8 or BF16.
#pragma once

#include "sim/base/units.h"
#include "sim/model/operations.h"

namespace pipescope::model {

struct ActivationBytes {
  Bytes until_backward;     // saved by F, released at the end of I or B
  Bytes until_weight_grad;  // saved by I where W comes later, released at W's end
  Bytes working;            // besides, while I or B runs; counted in BF16 only
};

ActivationBytes ActivationsOf(const ModelConfig& model, const WorkShape& shape, const Block& block);

}  // namespace pipescope::model
