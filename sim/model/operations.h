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
// computed again). Weight gradients read and write their FP32 sums, or (fused_gradients off) write
// BF16 that kernels of their own add to them. Attention that is not fused (unfused_attention) is
// what GPTs ran before flash attention: a batched GEMM over all s^2 scores, softmax, dropout, a
// second GEMM, each through HBM, no causal half left out; backward four GEMMs.
//
// Precision follows DeepSeek-V3's recipe (section 3.3) where `fp8`: every linear layer's three
// GEMMs in FP8 with casts and transposes around them; embedding, head, router, norms and
// attention in BF16. RMSNorm, the MLA up-projections and SwiGLU's output are computed again in the
// backward pass (section 3.2.3) where `recompute` says so. Which casts there are is read off the
// kernels of DeepSeek's own training trace (deepseek-ai/profile-data): a GEMM's input is quantised
// by rows when it runs and once more by columns for the weight gradient, in the input gradient's
// pass; what is kept in FP8, or arrived so, is cast back before it is quantised the other way; the
// weights of input gradients and the experts' are transposed every time; the attention's output is
// kept in E5M6 (12 bits).
//
// Tensor parallelism over t GPUs is Megatron's, with sequence parallelism (arXiv 1909.08053 and
// 2205.05198): q, k, v and up-projections are split by columns, o and down-projections by rows,
// heads and vocabulary likewise; norms, residual additions and router run on tokens / t. Between
// the two regions the rows of hidden width are gathered (into a split layer) or reduce-scattered
// (out of one), phases of their own. A layer forward: norm - gather - attention - scatter - norm -
// gather - mlp - scatter. Backward the gradients move the other way, and the input of a
// column-split layer is gathered again for its weight gradient, since only a t-th of it is saved.
// That gather runs beside the input gradient's GEMM, and the scatter of the input gradient beside
// the weight gradient's (Megatron's linear layers, and Transformer Engine's, start them
// asynchronously around these GEMMs); all else is waited for. Experts are whole: tokens / t rows of
// each GPU are dispatched. Low-rank down-projections of latent attention are whole as well.
//
// Context parallelism cuts every sequence into 2 c parts and gives a GPU one early and one late
// part, so that causal work is even. Around the attention q, k, v and the output are exchanged for
// whole sequences of a c-th of the heads (all-to-all), or keys and values gathered.
//
// Example: o_proj of DeepSeek-V3, 4096 tokens: m 4096, n 7168, k 16384, 0.962 TFLOP. Under t = 8:
// k 2048; 4096 x 7168 x 2 B x 7/8 = 51 MB a GPU for each gather.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/base/units.h"
#include "sim/model/config.h"
#include "sim/model/layout.h"

namespace pipescope::model {

enum class Pass { kForward, kInputGrad, kWeightGrad };
enum class PhaseKind {
  kAttention,
  kDispatch,
  kMlp,
  kCombine,
  kEmbedding,
  kProjection,
  kHead,
  kGather,    // tensor-parallel all-gather of rows
  kScatter,   // tensor-parallel reduce-scatter of rows
  kReduce,    // tensor-parallel all-reduce: maxima and sums of the split loss
  kExchange,  // among the GPUs of a context-parallel group, around the attention
};
enum class KernelKind { kGemm, kAttention, kMemory };
enum class Precision { kBf16, kFp8 };
// How a memory-bound kernel goes through memory.
enum class Traffic {
  kStream,  // reads and writes whole rows: copies, additions, permutations
  kCast,    // finds the largest of every 128 values before it writes them in FP8, or re-tiles them
  kNorm,    // reduces whole rows, on a grid made for all SMs at once
};
// What the backward pass computes again instead of keeping it.
enum class Recompute {
  kNone,
  kSelective,   // the attention's core: q, k and v are kept, its output is not (arXiv 2205.05198)
  kDeepseekV3,  // norms, MLA's up-projections, SwiGLU's output
  kFull,        // a layer from its input, its messages included
};
// How GPUs of a context-parallel group see each other's keys.
enum class ContextExchange { kAllToAll, kAllGather };

// What an attention kernel works on: whole heads of one GPU.
struct AttentionShape {
  int64_t batch = 0, sequence = 0;
  int64_t heads = 0, key_heads = 0, qk_dim = 0, v_dim = 0;
};

struct Kernel {
  const char* name = "";
  KernelKind kind = KernelKind::kMemory;
  Precision precision = Precision::kBf16;
  Pass pass = Pass::kForward;  // a GEMM recomputed in the backward pass is kForward
  int64_t groups = 1;  // of a grouped GEMM: experts; m, n, k are each group's, rows rounded up
  int64_t m = 0, n = 0, k = 0;
  AttentionShape attention = {};  // of kAttention
  Flops flops;
  Bytes bytes;  // read and written in HBM
  Traffic traffic = Traffic::kStream;
  int launches = 1;  // small kernels that this one stands for
};

struct Phase {
  PhaseKind kind = PhaseKind::kAttention;
  Pass pass = Pass::kForward;
  std::vector<Kernel> kernels;  // empty where something is sent
  int part = 0;                 // numbers the phases of a pass of the same kind
  // Of a tensor- or context-parallel phase: bytes of the whole that the group ends or starts with,
  // and whether the phase after it need not wait for it.
  Bytes moved = Bytes(0);
  bool beside = false;
};

// Whether the phase runs on a GPU's own SMs for itself.
bool Computes(const Phase& phase);

struct BlockWork {
  std::vector<Phase> forward;
  std::vector<Phase> input_grad;
  std::vector<Phase> weight_grad;
  std::vector<Phase> again;  // the forward pass, where the backward pass starts with it once more
};

// What of the model one GPU works on for one micro-batch.
struct WorkShape {
  int64_t tokens = 0;       // micro-batch size x sequence length / context
  int64_t sequence = 0;     // tokens that attend to each other
  int expert_parallel = 1;  // GPUs that share a layer's experts
  bool fp8 = false;         // V3's mixed precision; else BF16 throughout
  Recompute recompute = Recompute::kDeepseekV3;
  int tensor = 1;   // GPUs that split every layer's matrices
  int context = 1;  // GPUs that split every sequence
  ContextExchange exchange = ContextExchange::kAllToAll;
  bool permute_twice = false;  // rows are copied once an expert before they are sent, then sorted

  bool fused_gradients = true;  // weight gradients add to their FP32 sums inside the GEMM
  bool unfused_attention = false;
  bool deferred_head = false;  // the head's weight gradient may wait, as those of layers do

  int64_t shard() const { return tokens / tensor; }  // rows of norms, residual, router, dispatch
  bool again() const { return recompute == Recompute::kDeepseekV3; }
};

// The attention as one GPU of a tensor-parallel group has it: its share of the heads.
Attention LocalAttention(const Attention& attention, int tensor);

// Rows that a GPU's experts take in: experts_per_token x shard where routing is balanced.
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
