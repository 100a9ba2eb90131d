// Arrays between formats and places on a GPU: kernels/train/device/arrays.h's, as train_cuda.h has
// the training operations. Counts of Widen, Narrow and AddToSum are multiples of 8, 8 and 4.
//
// Compiled and looked into (tests/kernels), its bodies run by CPU threads in tests; no GPU has run
// these kernels yet.
//
// No CUDA header is visible here.
#pragma once

#include "kernels/train/cuda/train_cuda.h"

namespace pipescope::kernels::cuda {

struct ColumnStrides {
  int64_t from = 0, to = 0, repeat = 1;
};
Status MoveColumns(const Bf16* x, Bf16* y, Size size, ColumnStrides strides, Stream);
Status Widen(const Bf16* x, float* y, int64_t count, Stream);
Status Narrow(const float* x, Bf16* y, int64_t count, Stream);
Status RoundFloats(float* x, int64_t count, Stream);
Status GatherFloats(const float* x, const int64_t* from, float* y, int64_t count, Stream);
Status ScatterFloats(const float* x, const int64_t* to, float* y, int64_t count, Stream);
Status AddToSum(const float* gradient, double* sum, int64_t count, Stream);
// `sums`: an array on the GPU of pointers to its memory.
Status AddSums(const double* const* sums, int copies, float* gradient, int32_t* inexact,
               int64_t count, Stream);

}  // namespace pipescope::kernels::cuda
