// What a block computes and sends, as kernels with shapes, FLOPs and bytes.
//
// A block's pass is a chain of phases, in the order they run:
//   MoE layer, forward          attention - dispatch - mlp - combine
//   MoE layer, input gradient   combine' - mlp - dispatch' - attention   (' : see below)
//   MoE layer, weight gradient  mlp - attention
//   dense layer                 the same without dispatch and combine, and so is a MoE layer whose
//                               experts are all on the GPU
// The gradient of combine moves data as dispatch does (FP8 rows, one to several), the gradient of
// dispatch as combine does (BF16 rows, summed): arXiv 2412.19437, section 3.2.2.
// `attention` holds all that comes before the dispatch: norms, MLA, residual, router.
//
// A GEMM of m x k by k x n has 2 m n k FLOPs. Causal attention of s tokens and h heads has
// 2 h (qk + v) s / 2 per token forward, and 2 h (3 qk + 2 v) s / 2 backward (the scores are
// computed again). Weight gradients read and write their FP32 accumulators.
//
// Precision follows DeepSeek-V3's recipe (section 3.3) where `fp8`: every linear layer's three
// GEMMs in FP8 with casts and transposes around them; embedding, head, router, norms and
// attention in BF16. RMSNorm, the MLA up-projections and SwiGLU's output are computed again in the
// backward pass (section 3.2.3) where `recompute` says so.
//
// Example: o_proj of DeepSeek-V3, 4096 tokens: m 4096, n 7168, k 16384, 0.962 TFLOP.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/base/units.h"
#include "sim/model/config.h"
#include "sim/model/layout.h"

namespace pipescope::model {

enum class Pass { kForward, kInputGrad, kWeightGrad };
enum class PhaseKind { kAttention, kDispatch, kMlp, kCombine, kEmbedding, kProjection, kHead };
enum class KernelKind { kGemm, kAttention, kMemory };
enum class Precision { kBf16, kFp8 };

struct Kernel {
  const char* name = "";
  KernelKind kind = KernelKind::kMemory;
  Precision precision = Precision::kBf16;
  Pass pass = Pass::kForward;  // a GEMM recomputed in the backward pass is kForward
  int64_t groups = 1;  // of a grouped GEMM: experts; m, n, k are each group's, rows rounded up
  int64_t m = 0, n = 0, k = 0;
  Flops flops;
  Bytes bytes;  // read and written in HBM
};

struct Phase {
  PhaseKind kind = PhaseKind::kAttention;
  Pass pass = Pass::kForward;
  std::vector<Kernel> kernels;  // empty for kDispatch and kCombine
};

struct BlockWork {
  std::vector<Phase> forward;
  std::vector<Phase> input_grad;
  std::vector<Phase> weight_grad;
};

// What of the model one GPU works on for one micro-batch.
struct WorkShape {
  int64_t tokens = 0;       // micro-batch size x sequence length
  int64_t sequence = 0;     // tokens that attend to each other
  int expert_parallel = 1;  // GPUs that share a layer's experts
  bool fp8 = false;         // V3's mixed precision; else BF16 throughout
  bool recompute = true;    // V3's recomputation; else everything is saved
};

// Rows that a GPU's experts take in: experts_per_token x tokens where routing is balanced.
int64_t ExpertRows(const ModelConfig& model, const WorkShape& shape);

// How many tokens a token attends to in the mean, itself included: half the sequence s where all
// before it count, w - w^2 / (2 s) in a window of w.
double MeanKeys(int64_t sequence, int64_t window);

BlockWork WorkOf(const ModelConfig& model, const WorkShape& shape, const Block& block);

// FLOPs a token costs in a training step, without recomputation: six per active parameter that is
// multiplied (all but the embedding), and attention. MTP modules are left out, as is usual.
// DeepSeek-V3 at 4096 tokens: 250 GFLOPs causal (arXiv 2505.09343, table 2).
Flops TrainingFlopsPerToken(const ModelConfig& model, int64_t sequence, bool causal);

}  // namespace pipescope::model
