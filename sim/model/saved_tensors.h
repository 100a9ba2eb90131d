// Which tensors a block keeps of one micro-batch in BF16 training, and what its backward pass needs
// besides: what PyTorch's autograd holds under Megatron-LM with Transformer Engine.
//
// Values are BF16 but where said. With T tokens of the GPU, t GPUs that split a layer, T / t rows
// where the sequence is split too (arXiv 2205.05198, section 4.2), widths of this GPU's heads:
//   attention   input and normed input, T / t rows of d; q, k, v; output; its log-sum-exp (FP32).
//               Latent: the short vectors before and after their norms; q, k, and the output of the
//               keys' and values' up-projection, which the values are a view of
//               Not fused: in place of the log-sum-exp 5 bytes a head and token of the sequence
//               (softmax before and after dropout, its mask), and masks of the dropouts after
//               attention and MLP: 34 h + 5 a s bytes a token (arXiv 2205.05198, section 4.1)
//   MLP         input and normed input, T / t rows of d; up-projection's output; its activation
//   experts     the same with k rows a token, dispatched rows instead of the normed input; the
//               router's logits and probabilities (FP32). Probabilities weigh the activation, so
//               that the experts' output is not kept
//   head        input and normed input; logits, which the loss's gradient overwrites (Transformer
//               Engine's fused cross-entropy)
// Working set, on top of these while a block's backward pass runs:
//   MLP         gradients of the output (T / t rows and gathered) and of the up-projection's output
//   experts     two tensors of dispatched rows, before and after they are sent; the output's
//   head        gradient of the normed input, and under t > 1 its rows gathered; 2 bytes a weight:
//               Megatron's linear layer adds its gradient to the FP32 sums in the GEMM, yet hands
//               autograd a BF16 tensor of the weight's shape
// Transformer Engine's layers hand over such a tensor too, but keep one for each shape of weights
// (get_dummy_wgrad, since 2.0): Placeholders, held throughout.
//
// Llama 3 70B, a layer, 4096 tokens, t = 1: 5 d + 10240 + 3 x 28672 = 137216 values a token, 1.05
// GiB; placeholders 1.59 GiB. Sources: SimuMax's documentation of what Megatron-LM and Transformer
// Engine save (github.com/MooreThreads/SimuMax, Apache-2.0) and general knowledge of the two; their
// own sources were not compared line by line.
#pragma once

#include <utility>
#include <vector>

#include "sim/base/units.h"
#include "sim/model/operations.h"

namespace pipescope::model {

struct SavedTensor {
  const char* name = "";
  Bytes bytes;
};

std::vector<SavedTensor> SavedTensors(const ModelConfig& model, const WorkShape& shape,
                                      const Block& block);

Bytes WorkingSet(const ModelConfig& model, const WorkShape& shape, const Block& block);

// Rows and columns of the weights of a block's linear layers, as one GPU has them; an expert's
// once.
std::vector<std::pair<int64_t, int64_t>> WeightShapes(const ModelConfig& model,
                                                      const WorkShape& shape, const Block& block);

}  // namespace pipescope::model
