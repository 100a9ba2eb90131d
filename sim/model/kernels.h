// A list of kernels under construction: the formulas of operations.h in one place.
#pragma once

#include <vector>

#include "sim/model/operations.h"

namespace pipescope::model {

// Adds kernels to a pass; every method is one kernel (or one per GEMM of a linear layer). What is
// sent between GPUs of a tensor- or context-parallel group cuts the kernels into phases; where the
// group is one GPU, nothing is sent, and the pass is one phase.
class KernelList {
 public:
  KernelList(const WorkShape& shape, PhaseKind kind, Pass pass)
      : shape_(shape), fp8_(shape.fp8), tokens_(shape.tokens), kind_(kind), pass_(pass) {}

  // y = x W of `rows` rows: forward GEMM (rows x n, depth k). `fp8_layer` false keeps BF16.
  KernelList& Forward(const char* name, int64_t rows, int64_t n, int64_t k, bool fp8_layer = true,
                      int64_t groups = 1);
  // dx = dy W^T: rows x k, depth n.
  KernelList& InputGrad(const char* name, int64_t rows, int64_t n, int64_t k, bool fp8_layer = true,
                        int64_t groups = 1);
  // dW += x^T dy: k x n, depth rows, accumulated in FP32.
  KernelList& WeightGrad(const char* name, int64_t rows, int64_t n, int64_t k,
                         bool fp8_layer = true, int64_t groups = 1);
  // A memory-bound kernel that moves `bytes_per_row` for each of `rows` rows.
  KernelList& Memory(const char* name, int64_t rows, double bytes_per_row);
  // The same for each token of the micro-batch.
  KernelList& PerToken(const char* name, double bytes) { return Memory(name, tokens_, bytes); }
  // The same for this GPU's share of the tokens, where the sequence is split as well.
  KernelList& Sharded(const char* name, double bytes) {
    return Memory(name, shape_.shard(), bytes);
  }
  // A norm of rows of `width` BF16 values that moves each `passes` times.
  KernelList& Norm(const char* name, int64_t rows, int64_t width, int passes = 2);
  // Kernels too small for anything but their number to count.
  KernelList& Small(const char* name, int launches);

  // What FP8 adds; nothing where `fp8` is off. Scales are one FP32 value for 128.
  // Quantises `width` BF16 values a row; by rows for a GEMM, or by columns for a weight gradient.
  KernelList& Cast(const char* name, int64_t rows, int64_t width);
  // The same of values that are in FP8 with scales the other way.
  KernelList& Recast(const char* name, int64_t rows, int64_t width);
  // From FP8 to BF16.
  KernelList& CastBack(const char* name, int64_t rows, int64_t width);
  // To E5M6 (12 bits), or back from it.
  KernelList& CastE5M6(const char* name, int64_t rows, int64_t width);
  // Transposes the FP8 weights of a GEMM, of `groups` experts.
  KernelList& TransposeWeights(const char* name, int64_t n, int64_t k, int64_t groups = 1);
  // `keys`: the mean number of tokens that a token attends to. `attention` is this GPU's share.
  KernelList& AttentionCore(const char* name, const Attention& attention, double keys, Pass pass);

  // Tensor-parallel: every GPU ends up with all tokens' rows of `width` BF16 values, or starts with
  // them and ends up with its share of their sums. The latter two run beside what comes next.
  KernelList& Gather(int64_t width) { return Send(PhaseKind::kGather, width, false); }
  KernelList& Scatter(int64_t width) { return Send(PhaseKind::kScatter, width, false); }
  KernelList& GatherBeside(int64_t width) { return Send(PhaseKind::kGather, width, true); }
  KernelList& ScatterBeside(int64_t width) { return Send(PhaseKind::kScatter, width, true); }
  // All-reduce of `bytes` a token.
  KernelList& Reduce(int64_t bytes);
  // Context-parallel: rows of `width` BF16 values leave for the other GPUs of the group.
  KernelList& Exchange(int64_t width);

  std::vector<Phase> Take();

 private:
  KernelList& Send(PhaseKind kind, int64_t width, bool beside);
  void Cut();
  KernelList& Quantise(const char* name, int64_t rows, int64_t width, double bytes);
  // Of a linear layer of `rows` rows, n wide and k deep, whichever of its GEMMs it is.
  KernelList& Gemm(const char* name, Pass pass, bool fp8_layer, int64_t groups, int64_t rows,
                   int64_t n, int64_t k);

  WorkShape shape_;
  bool fp8_;
  int64_t tokens_;
  PhaseKind kind_;
  Pass pass_;
  std::vector<Kernel> kernels_;
  std::vector<Phase> phases_;
};

// Appends phases to a pass and numbers them.
void Append(std::vector<Phase>& to, std::vector<Phase> phases);

// Bytes of one FP8 value with its share of the FP32 scale of 128 values.
inline constexpr double kFp8Bytes = 1.0 + 4.0 / 128.0;

}  // namespace pipescope::model
