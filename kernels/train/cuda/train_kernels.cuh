// The kernels that run the bodies of kernels/train/device: a block a row, rows in strides of the
// grid, so that any number of rows runs on as many blocks as the GPU holds at once.
#pragma once

#include "kernels/train/cuda/cuda_block.cuh"
#include "kernels/train/device/adamw.h"
#include "kernels/train/device/cross_entropy.h"
#include "kernels/train/device/mtp.h"
#include "kernels/train/device/rms_norm.h"
#include "kernels/train/device/rope.h"
#include "kernels/train/device/router.h"
#include "kernels/train/device/rows.h"
#include "kernels/train/device/swiglu.h"

namespace pipescope::kernels::cuda {

using device::Bf16;

// body(block, row), a value of a struct, so that nvcc needs no lambda of the host.
template <class Body>
__global__ void __launch_bounds__(kThreads) RowsKernel(Body body, int64_t rows) {
  CudaBlock block;
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) body(block, row);
}

// body(i), a thread each.
template <class Body>
__global__ void __launch_bounds__(kThreads) EachKernel(Body body, int64_t count) {
  const int64_t stride = int64_t{gridDim.x} * kThreads;
  for (int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x; i < count; i += stride) body(i);
}

struct RmsNormBody {
  const Bf16* x;
  const float* weight;
  Bf16* y;
  int64_t columns;
  float epsilon;
  __device__ void operator()(CudaBlock& block, int64_t r) const {
    device::RmsNormRow(block, x + r * columns, weight, y + r * columns, columns, epsilon);
  }
};

struct RmsNormInputGradientBody {
  const Bf16* x;
  const float* weight;
  const Bf16* dy;
  Bf16* dx;
  float* inverse;
  int64_t columns;
  float epsilon;
  __device__ void operator()(CudaBlock& block, int64_t r) const {
    const int64_t at = r * columns;
    device::RmsNormInputGradientRow(block, x + at, weight, dy + at, dx + at,
                                    inverse == nullptr ? nullptr : inverse + r, columns, epsilon);
  }
};

// i: which slice of the rows, then which 8 columns.
struct RmsNormSliceBody {
  const Bf16 *x, *dy;
  const float* inverse;
  float* partial;
  int64_t rows, columns, slice, dy_stride;
  __device__ void operator()(int64_t i) const {
    const int64_t packs = columns / device::kWide<Bf16>, part = i / packs;
    const int64_t first = part * slice, last = first + slice < rows ? first + slice : rows;
    device::RmsNormWeightGradientSlice(x, dy, dy_stride, inverse, partial + part * columns, first,
                                       last, columns, i % packs * device::kWide<Bf16>);
  }
};

struct SumPartialsBody {
  const float* partial;
  float* dw;
  int64_t parts, columns;
  __device__ void operator()(int64_t c) const {
    dw[c] = device::SumPartials(partial, parts, columns, c);
  }
};

struct MtpJoinBody {
  device::MtpArrays<Bf16> in;
  Bf16* y;
  int64_t columns;
  float epsilon;
  __device__ void operator()(CudaBlock& block, int64_t half) const {
    device::MtpJoinHalf(block, in, y, half, columns, epsilon);
  }
};

struct MtpJoinInputGradientBody {
  device::MtpArrays<Bf16> in;
  const Bf16* dy;
  device::MtpGradients<Bf16> out;
  int64_t columns;
  float epsilon;
  __device__ void operator()(CudaBlock& block, int64_t half) const {
    device::MtpJoinInputGradientHalf(block, in, dy, out, half, columns, epsilon);
  }
};

struct SwiGluBody {
  const Bf16* x;
  Bf16* y;
  int64_t columns;
  __device__ void operator()(CudaBlock& block, int64_t r) const {
    device::SwiGluRow(block, x + 2 * r * columns, y + r * columns, columns);
  }
};

struct SwiGluInputGradientBody {
  const Bf16 *x, *dy;
  Bf16 *dx, *again;
  int64_t columns;
  __device__ void operator()(CudaBlock& block, int64_t r) const {
    const int64_t at = r * columns;
    device::SwiGluInputGradientRow(block, x + 2 * at, dy + at, dx + 2 * at,
                                   again == nullptr ? nullptr : again + at, columns);
  }
};

struct RopeBody {
  const Bf16* x;
  Bf16* y;
  const device::Turn* table;
  float turn;
  int64_t heads, channels, rotary;
  __device__ void operator()(CudaBlock& block, int64_t t) const {
    const int64_t at = t * heads * channels;
    device::RopeToken(block, x + at, y + at, table + t * rotary / 2, turn, heads, channels, rotary);
  }
};

struct CrossEntropyBody {
  Bf16* logits;
  const int32_t* targets;
  const float* d_losses;
  bool gradient;
  float* losses;
  int64_t vocabulary;
  __device__ void operator()(CudaBlock& block, int64_t t) const {
    device::CrossEntropyRow(block, logits + t * vocabulary, targets[t],
                            d_losses == nullptr ? 0 : d_losses[t], gradient, losses + t,
                            vocabulary);
  }
};

struct GatherBody {
  const Bf16* x;
  const int64_t* from;
  Bf16* y;
  int64_t columns;
  __device__ void operator()(CudaBlock& block, int64_t r) const {
    device::GatherRow(block, x, from[r], y + r * columns, columns);
  }
};

struct AddBody {
  const Bf16 *a, *b;
  Bf16* y;
  int64_t columns;
  __device__ void operator()(CudaBlock& block, int64_t r) const {
    const int64_t at = r * columns;
    device::AddRow(block, a + at, b + at, y + at, columns);
  }
};

struct SumOfRowsBody {
  const Bf16* rows;
  const int64_t* which;
  const float* weights;
  int count;
  Bf16* y;
  int64_t columns;
  __device__ void operator()(CudaBlock& block, int64_t r) const {
    device::SumOfRows(block, rows, which + r * count,
                      weights == nullptr ? nullptr : weights + r * count, count, y + r * columns,
                      columns);
  }
};

struct UnpermuteGradientBody {
  const Bf16 *rows, *dy;
  const float* weights;
  const int64_t* rows_of;
  int selected;
  Bf16* d_rows;
  float* d_weights;
  int64_t columns;
  __device__ void operator()(CudaBlock& block, int64_t slot) const {
    const int64_t row = rows_of[slot];
    if (row < 0) return;  // the same for all lanes
    device::UnpermuteGradientRow(block, rows + row * columns, dy + slot / selected * columns,
                                 weights[slot], d_rows + row * columns, d_weights + slot, columns);
  }
};

struct EmbeddingGradientBody {
  const Bf16* dy;
  const int32_t* positions;
  const int64_t* begins;
  float* d_table;
  int64_t columns;
  __device__ void operator()(CudaBlock& block, int64_t v) const {
    device::EmbeddingGradientRow(block, dy, positions, begins[v], begins[v + 1],
                                 d_table + v * columns, columns);
  }
};

struct RouterBody {
  const float *logits, *bias;
  device::RouterShape shape;
  int32_t* experts;
  float* weights;
  __device__ void operator()(CudaBlock& block, int64_t t) const {
    __shared__ device::RouterScratch scratch;
    device::RouteToken(block, logits + t * shape.experts, bias, shape, scratch,
                       experts + t * shape.selected, weights + t * shape.selected);
  }
};

struct RouterInputGradientBody {
  const float* logits;
  const int32_t* experts;
  const float* d_weights;
  device::RouterShape shape;
  float* d_logits;
  __device__ void operator()(CudaBlock& block, int64_t t) const {
    __shared__ device::RouterScratch scratch;
    device::RouteInputGradientToken(block, logits + t * shape.experts, experts + t * shape.selected,
                                    d_weights + t * shape.selected, shape, scratch,
                                    d_logits + t * shape.experts);
  }
};

struct AdamWBody {
  device::AdamWScalars scalars;
  const float* gradient;
  float* weights;
  Bf16 *m, *v, *copy;
  __device__ void operator()(int64_t four) const {
    device::AdamWFour(scalars, gradient, weights, m, v, copy, 4 * four);
  }
};

}  // namespace pipescope::kernels::cuda
