// The quantisers as kernels.
#pragma once

#include "kernels/cuda/quantize.cuh"

namespace pipescope::kernels::cuda {

struct QuantizeArguments {
  const uint16_t* x;
  const uint16_t* weight;  // RMSNorm's
  uint8_t* codes;
  float* scales;
  int64_t rows, columns;
  int64_t stride;  // of scales: rows up to a multiple of 128, or groups of columns
};

__device__ inline Sixteen SwiGluOf(const uint16_t* gate, const uint16_t* up) {
  const Sixteen g = Load(gate), u = Load(up);
  Sixteen y;
#pragma unroll
  for (int i = 0; i < kValues; ++i) y.v[i] = g.v[i] / (1 + __expf(-g.v[i])) * u.v[i];
  return y;
}

// Tiles of a plain source or of SwiGLU: a lane takes every gridDim-th piece of 16 values.
template <Source source, ScaleKind kind>
__global__ void __launch_bounds__(256) TilesKernel(QuantizeArguments a) {
  const int64_t groups = (a.columns + 127) / 128, pieces = a.rows * groups * kLanes;
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  // Whole warps stay: eight lanes share a tile, and pieces come in eights.
  const int64_t end = (pieces + 31) / 32 * 32;
#pragma unroll 2
  for (int64_t p = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; p < end; p += step) {
    const int64_t row = p / (groups * kLanes), within = p % (groups * kLanes);
    const int64_t column = within * kValues;
    const bool here = p < pieces && column < a.columns;
    Sixteen x = Zeros();
    if (here && source == Source::kPlain) x = Load(a.x + row * a.columns + column);
    if (here && source == Source::kSwiGlu) {
      const uint16_t* gate = a.x + 2 * row * a.columns + column;
      x = SwiGluOf(gate, gate + a.columns);
    }
    const float scale = ScaleOf<kind>(LargestOfLanes(Largest(x)));
    if (!here) continue;
    const uint4 codes = Encode(x, scale);
    __stcs(reinterpret_cast<uint4*>(a.codes + row * a.columns + column), codes);
    if (within % kLanes == 0) a.scales[within / kLanes * a.stride + row] = scale;
  }
}

__device__ inline float SumOfBlock(float sum, float* shared) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffU, sum, step);
  if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = sum;
  __syncthreads();
  float all = 0;
  for (unsigned w = 0; w < blockDim.x / 32; ++w) all += shared[w];
  __syncthreads();  // before the next row overwrites it
  return all;
}

// RMSNorm and tiles: a block holds a row, 16 values a thread.
template <ScaleKind kind>
__global__ void __launch_bounds__(1024) RmsNormKernel(QuantizeArguments a, float epsilon) {
  __shared__ float sums[32];
  const int64_t column = int64_t{threadIdx.x} * kValues;
  const bool here = column < a.columns;
  const Sixteen w = here ? Load(a.weight + column) : Zeros();
  for (int64_t row = blockIdx.x; row < a.rows; row += gridDim.x) {
    Sixteen x = here ? Load(a.x + row * a.columns + column) : Zeros();
    float squares = 0;
#pragma unroll
    for (const float v : x.v) squares = fmaf(v, v, squares);
    const float mean = SumOfBlock(squares, sums) / static_cast<float>(a.columns);
    const float r = rsqrtf(mean + epsilon);
#pragma unroll
    for (int i = 0; i < kValues; ++i) x.v[i] = x.v[i] * r * w.v[i];
    const float scale = ScaleOf<kind>(LargestOfLanes(Largest(x)));
    if (!here) continue;
    __stcs(reinterpret_cast<uint4*>(a.codes + row * a.columns + column), Encode(x, scale));
    if (threadIdx.x % kLanes == 0) a.scales[threadIdx.x / kLanes * a.stride + row] = scale;
  }
}

inline constexpr int kBlockThreads = 256;
inline constexpr int kPieces = 128 * 128 / kValues / kBlockThreads;  // of a thread: 4

__device__ inline float LargestOfBlock(float amax, float* shared) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) {
    amax = fmaxf(amax, __shfl_xor_sync(0xffffffffU, amax, step));
  }
  if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = amax;
  __syncthreads();
#pragma unroll
  for (int w = 0; w < kBlockThreads / 32; ++w) amax = fmaxf(amax, shared[w]);
  return amax;
}

// Blocks of 128 x 128, one a thread block.
template <ScaleKind kind>
__global__ void __launch_bounds__(kBlockThreads) BlocksKernel(QuantizeArguments a) {
  __shared__ float shared[kBlockThreads / 32];
  const int64_t top = int64_t{blockIdx.y} * 128, left = int64_t{blockIdx.x} * 128;
  const int64_t column = left + threadIdx.x % kLanes * kValues;
  Sixteen x[kPieces];
  float amax = 0;
#pragma unroll
  for (int i = 0; i < kPieces; ++i) {
    const int64_t row = top + 32 * i + threadIdx.x / kLanes;
    const bool here = row < a.rows && column < a.columns;
    x[i] = here ? Load(a.x + row * a.columns + column) : Zeros();
    amax = fmaxf(amax, Largest(x[i]));
  }
  const float scale = ScaleOf<kind>(LargestOfBlock(amax, shared));
#pragma unroll
  for (int i = 0; i < kPieces; ++i) {
    const int64_t row = top + 32 * i + threadIdx.x / kLanes;
    if (row >= a.rows || column >= a.columns) continue;
    __stcs(reinterpret_cast<uint4*>(a.codes + row * a.columns + column), Encode(x[i], scale));
  }
  if (threadIdx.x == 0) a.scales[int64_t{blockIdx.y} * a.stride + blockIdx.x] = scale;
}

inline constexpr int kRowWords = 64 + 4;  // of 128 BF16 values, padded by 16 bytes

// 128 x 128 values into shared memory, zeros outside.
__device__ inline void Stage(const QuantizeArguments& a, int64_t top, int64_t left,
                             uint32_t (*tile)[kRowWords]) {
  const int part = threadIdx.x % 16;  // of 8 values
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const int line = 16 * i + threadIdx.x / 16;
    const int64_t row = top + line, column = left + 8 * part;
    uint4 words = {0, 0, 0, 0};
    if (row < a.rows && column < a.columns) {
      words = __ldcs(reinterpret_cast<const uint4*>(a.x + row * a.columns + column));
    }
    *reinterpret_cast<uint4*>(&tile[line][4 * part]) = words;
  }
  __syncthreads();
}

// The transposed matrix: a thread takes a pair of columns and 32 rows of the staged tile, which are
// 32 consecutive codes of two rows of the result.
template <Grouping grouping, ScaleKind kind>
__global__ void __launch_bounds__(kBlockThreads) TransposedKernel(QuantizeArguments a) {
  __shared__ __align__(16) uint32_t tile[128][kRowWords];
  __shared__ float largest[4][128];
  __shared__ float shared[kBlockThreads / 32];
  const int64_t top = int64_t{blockIdx.y} * 128, left = int64_t{blockIdx.x} * 128;
  Stage(a, top, left, tile);
  const int pair = threadIdx.x % 64, quarter = threadIdx.x / 64;
  float amax[2] = {0, 0};
#pragma unroll 8
  for (int i = 0; i < 32; ++i) {
    const uint32_t word = tile[32 * quarter + i][pair];
    amax[0] = fmaxf(amax[0], fabsf(__uint_as_float(word << 16)));
    amax[1] = fmaxf(amax[1], fabsf(__uint_as_float(word & 0xffff0000U)));
  }
  float scale[2];
  if constexpr (grouping == Grouping::kBlocks) {
    scale[0] = scale[1] = ScaleOf<kind>(LargestOfBlock(fmaxf(amax[0], amax[1]), shared));
    if (threadIdx.x == 0) a.scales[int64_t{blockIdx.x} * a.stride + blockIdx.y] = scale[0];
  } else {
    largest[quarter][2 * pair] = amax[0];
    largest[quarter][2 * pair + 1] = amax[1];
    __syncthreads();
#pragma unroll
    for (int j = 0; j < 2; ++j) {
      const int c = 2 * pair + j;
      scale[j] = ScaleOf<kind>(
          fmaxf(fmaxf(largest[0][c], largest[1][c]), fmaxf(largest[2][c], largest[3][c])));
      if (quarter == 0 && left + c < a.columns) {
        a.scales[int64_t{blockIdx.y} * a.stride + left + c] = scale[j];
      }
    }
  }
#pragma unroll
  for (int half = 0; half < 4; ++half) {  // of two columns, two runs of 16 rows
    const int j = half % 2, from = 32 * quarter + half / 2 * 16;
    const int64_t column = left + 2 * pair + j, row = top + from;
    if (column >= a.columns || row >= a.rows) continue;
    Sixteen x;
#pragma unroll
    for (int i = 0; i < kValues; ++i) {
      const uint32_t word = tile[from + i][pair];
      x.v[i] = __uint_as_float(j == 0 ? word << 16 : word & 0xffff0000U);
    }
    *reinterpret_cast<uint4*>(a.codes + column * a.rows + row) = Encode(x, scale[j]);
  }
}

}  // namespace pipescope::kernels::cuda
