// The block-scaled GEMM for Hopper: one producer thread feeds a ring of tiles by TMA, two
// warpgroups multiply 64 rows each and promote every 128 of k to FP32 registers, results leave by
// TMA while the next tile's operands are on their way.
//
//   stage   a [128][128], b [width][128] of E4M3, a's 128 scales, and b's where b has tiles
//   full    turns when a stage's bytes have arrived, empty when all eight warps have read it
//
// Example: width 128, BF16: 5 stages of 33 KiB and 32 KiB of results use 198 KiB of 227.
#pragma once

#include <cuda_bf16.h>

#include "kernels/cuda/gemm_tiles.cuh"
#include "kernels/cuda/hopper.cuh"

namespace pipescope::kernels::cuda {

inline constexpr int kComputing = 2;                     // warpgroups
inline constexpr int kThreads = 128 * (kComputing + 1);  // the last one loads

template <int width, bool tiles_of_b>
struct Stage {
  alignas(1024) uint8_t a[128 * 128];
  alignas(1024) uint8_t b[width * 128];
  alignas(128) float a_scales[128];
  alignas(128) float b_scales[tiles_of_b ? width : 32];
};

// c as TMA stores it: pieces of 128 bytes a row, 64 rows a warpgroup, swizzled.
template <int width, bool tiles_of_b, int count>
struct Shared {
  static constexpr int kElement = tiles_of_b ? 4 : 2;
  static constexpr int kPieceColumns = 128 / kElement;
  static constexpr int kPiecesOfC = width / kPieceColumns;
  Stage<width, tiles_of_b> stages[count];
  alignas(1024) uint8_t c[kComputing][kPiecesOfC][64 * 128];
  Barrier full[count], empty[count];
};

// Where in the ring one is, and how often it went round.
template <int count>
struct Ring {
  int slot = 0;
  uint32_t round = 0;
  __device__ void Next() {
    if (++slot == count) {
      slot = 0;
      round ^= 1;
    }
  }
};

struct GemmMaps {
  CUtensorMap a, b, c;
};

template <Layout layout, int width, bool tiles_of_b, int count>
__device__ void Produce(const GemmMaps& maps, const GemmArguments& args,
                        Shared<width, tiles_of_b, count>& shared) {
  constexpr uint32_t kBytes = 128 * 128 + width * 128 + 4 * 128 + (tiles_of_b ? 4 * width : 0);
  Ring<count> ring;
  const int tiles = TileCount<layout, width>(args);
  for (int index = blockIdx.x; index < tiles; index += gridDim.x) {
    const Tile tile = TileAt<layout, width>(args, index);
    for (int step = 0; step < tile.steps; ++step, ring.Next()) {
      shared.empty[ring.slot].Wait(ring.round ^ 1);
      auto& stage = shared.stages[ring.slot];
      Barrier& full = shared.full[ring.slot];
      const int k = tile.first_k + step;
      full.ArriveAndAwait(kBytes);
      LoadTile(stage.a, maps.a, full, 128 * k, tile.row);
      LoadTile(stage.b, maps.b, full, 128 * k, tile.b_row);
      LoadBytes(stage.a_scales, args.a_scales + int64_t{k} * args.a_stride + tile.row, full,
                4 * 128);
      if constexpr (tiles_of_b) {
        LoadBytes(stage.b_scales, args.b_scales + int64_t{k} * args.b_stride + tile.column, full,
                  4 * width);
      }
    }
  }
}

// sum += part times the scales of its rows and columns.
template <int width, bool tiles_of_b>
__device__ inline void Promote(float (&sum)[width / 2], const float (&part)[width / 2],
                               const float* b_scales, const float (&row_scales)[2],
                               float block_scale) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int j = 0; j < width / 8; ++j) {
    float2 of_b = {block_scale, block_scale};
    if constexpr (tiles_of_b) {
      of_b = *reinterpret_cast<const float2*>(b_scales + 8 * j + 2 * (lane % 4));
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float scale = row_scales[i / 2] * (i % 2 == 0 ? of_b.x : of_b.y);
      sum[4 * j + i] = fmaf(scale, part[4 * j + i], sum[4 * j + i]);
    }
  }
}

// One tile's sums for the 64 rows of this warpgroup.
template <int width, bool tiles_of_b, int count>
__device__ inline void Multiply(const GemmArguments& args, const Tile& tile, int group,
                                Shared<width, tiles_of_b, count>& shared, Ring<count>& ring,
                                float (&sum)[width / 2]) {
  const int lane = threadIdx.x % 32;
  const int row = 64 * group + threadIdx.x / 32 % 4 * 16 + lane / 4;
  const float* block_scales = args.b_scales + int64_t{tile.b_row / 128} * ((args.k + 127) / 128);
#pragma unroll
  for (float& s : sum) s = 0;
  for (int step = 0; step < tile.steps; ++step, ring.Next()) {
    const float block_scale = tiles_of_b ? 0 : __ldg(block_scales + step);
    auto& stage = shared.stages[ring.slot];
    shared.full[ring.slot].Wait(ring.round);
    const float row_scales[2] = {stage.a_scales[row], stage.a_scales[row + 8]};
    float part[width / 2];
    const uint64_t a = Descriptor(stage.a + 64 * 128 * group), b = Descriptor(stage.b);
    WgmmaFence();
#pragma unroll
    for (int k = 0; k < 4; ++k) Wgmma<width>(part, a + 2 * k, b + 2 * k, k > 0);
    WgmmaCommit();
    WgmmaWait();
    // A warp waits for its own rows only: each of them tells when it has read all it needs.
    if constexpr (!tiles_of_b) {
      __syncwarp();
      if (lane == 0) shared.empty[ring.slot].Arrive();
    }
    Promote<width, tiles_of_b>(sum, part, stage.b_scales, row_scales, block_scale);
    if constexpr (tiles_of_b) {
      __syncwarp();
      if (lane == 0) shared.empty[ring.slot].Arrive();
    }
  }
}

// Sums to shared memory, swizzled, and on their way to c.
template <int width, bool tiles_of_b, int count>
__device__ inline void Store(const CUtensorMap& map, const Tile& tile, int group,
                             Shared<width, tiles_of_b, count>& shared,
                             const float (&sum)[width / 2]) {
  using Places = Shared<width, tiles_of_b, count>;
  const int lane = threadIdx.x % 32, thread = threadIdx.x % 128;
  if (thread == 0) AwaitStoresRead();
  SyncWarpgroup(1 + group);
#pragma unroll
  for (int j = 0; j < width / 8; ++j) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int row = thread / 32 * 16 + 8 * half + lane / 4;
      const int byte = (8 * j + 2 * (lane % 4)) * Places::kElement;
      uint8_t* piece = shared.c[group][byte / 128];
      uint8_t* at = piece + 128 * row + (byte % 128 ^ row % 8 * 16);
      const float2 two = {sum[4 * j + 2 * half], sum[4 * j + 2 * half + 1]};
      if constexpr (tiles_of_b) {
        *reinterpret_cast<float2*>(at) = two;
      } else {
        *reinterpret_cast<__nv_bfloat162*>(at) = __float22bfloat162_rn(two);
      }
    }
  }
  FenceForTma();
  SyncWarpgroup(1 + group);
  if (thread != 0) return;
#pragma unroll
  for (int p = 0; p < Places::kPiecesOfC; ++p) {
    StoreTile(map, shared.c[group][p], tile.column + p * Places::kPieceColumns,
              tile.row + 64 * group, tile.group);
  }
  CommitStores();
}

template <Layout layout, int width, bool tiles_of_b, int count>
__global__ void __launch_bounds__(kThreads, 1)
    GemmKernel(const __grid_constant__ GemmMaps maps, const GemmArguments args) {
  extern __shared__ __align__(1024) uint8_t memory[];
  auto& shared = *reinterpret_cast<Shared<width, tiles_of_b, count>*>(memory);
  if (threadIdx.x == 0) {
    for (int i = 0; i < count; ++i) {
      shared.full[i].Start(1);
      shared.empty[i].Start(kComputing * 4);
    }
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    FenceForTma();
  }
  __syncthreads();
  const int group = threadIdx.x / 128;
  if (group == kComputing) {
    GiveRegisters<40>();
    if (threadIdx.x % 128 == 0) Produce<layout, width, tiles_of_b, count>(maps, args, shared);
    return;
  }
  TakeRegisters<232>();
  Ring<count> ring;
  const int tiles = TileCount<layout, width>(args);
  for (int index = blockIdx.x; index < tiles; index += gridDim.x) {
    const Tile tile = TileAt<layout, width>(args, index);
    float sum[width / 2];
    Multiply<width, tiles_of_b, count>(args, tile, group, shared, ring, sum);
    Store<width, tiles_of_b, count>(maps.c, tile, group, shared, sum);
  }
  if (threadIdx.x % 128 == 0) AwaitStores();
}

}  // namespace pipescope::kernels::cuda
