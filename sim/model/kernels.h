// A list of kernels under construction: the formulas of operations.h in one place.
#pragma once

#include <vector>

#include "sim/model/operations.h"

namespace pipescope::model {

// Adds kernels to a phase; every method is one kernel (or one per GEMM of a linear layer).
class KernelList {
 public:
  KernelList(bool fp8, int64_t tokens) : fp8_(fp8), tokens_(tokens) {}

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
  // Quantises `width` BF16 values a row to FP8 with one FP32 scale for 128; nothing in BF16.
  KernelList& Cast(const char* name, int64_t rows, int64_t width);
  // Re-tiles FP8 rows from 1x128 to 128x1 for the weight gradient; nothing in BF16.
  KernelList& Transpose(const char* name, int64_t rows, int64_t width);
  // `keys`: the mean number of tokens that a token attends to.
  KernelList& AttentionCore(const char* name, const Attention& attention, double keys, Pass pass);

  std::vector<Kernel> Take() { return std::move(kernels_); }

 private:
  // Of a linear layer of `rows` rows, n wide and k deep, whichever of its GEMMs it is.
  KernelList& Gemm(const char* name, Pass pass, bool fp8_layer, int64_t groups, int64_t rows,
                   int64_t n, int64_t k);

  bool fp8_;
  int64_t tokens_;
  std::vector<Kernel> kernels_;
};

// Bytes of one FP8 value with its share of the FP32 scale of 128 values.
inline constexpr double kFp8Bytes = 1.0 + 4.0 / 128.0;

}  // namespace pipescope::model
