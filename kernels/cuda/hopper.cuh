// The few PTX instructions of a Hopper GEMM: barriers in shared memory, TMA, wgmma.
//
// A tile of 128 bytes a row lies in shared memory with the 128-byte swizzle: byte b of row r is at
// 128 r + (b ^ 16 (r mod 8)). TMA writes it so and wgmma's descriptor says so. Source: PTX ISA 9.0,
// sections on mbarrier, cp.async.bulk.tensor and wgmma's matrix descriptor.
#pragma once

#include <cuda.h>

#include <cstdint>

namespace pipescope::kernels::cuda {

__device__ inline uint32_t SharedAddress(const void* at) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(at));
}

// A barrier whose phase turns when `count` threads have arrived and all awaited bytes are there.
struct Barrier {
  uint64_t state;

  __device__ void Start(uint32_t count) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(SharedAddress(&state)), "r"(count)
                 : "memory");
  }
  __device__ void Arrive() {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(SharedAddress(&state))
                 : "memory");
  }
  __device__ void ArriveAndAwait(uint32_t bytes) {
    asm volatile(
        "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(SharedAddress(&state)),
        "r"(bytes)
        : "memory");
  }
  __device__ void Wait(uint32_t parity) {
    asm volatile(
        "{\n"
        ".reg .pred done;\n"
        "again:\n"
        "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
        "@done bra over;\n"
        "bra again;\n"
        "over:\n"
        "}\n" ::"r"(SharedAddress(&state)),
        "r"(parity)
        : "memory");
  }
};

__device__ inline void LoadTile(void* to, const CUtensorMap& map, Barrier& barrier, int column,
                                int row) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
      " [%0], [%1, {%3, %4}], [%2];" ::"r"(SharedAddress(to)),
      "l"(&map), "r"(SharedAddress(&barrier.state)), "r"(column), "r"(row)
      : "memory");
}

// Consecutive bytes: a multiple of 16 at a multiple of 16.
__device__ inline void LoadBytes(void* to, const void* from, Barrier& barrier, uint32_t bytes) {
  asm volatile(
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::
          "r"(SharedAddress(to)),
      "l"(from), "r"(bytes), "r"(SharedAddress(&barrier.state))
      : "memory");
}

__device__ inline void StoreTile(const CUtensorMap& map, const void* from, int column, int row,
                                 int group) {
  asm volatile(
      "cp.async.bulk.tensor.3d.global.shared::cta.tile.bulk_group [%0, {%2, %3, %4}], [%1];" ::"l"(
          &map),
      "r"(SharedAddress(from)), "r"(column), "r"(row), "r"(group)
      : "memory");
}
__device__ inline void CommitStores() { asm volatile("cp.async.bulk.commit_group;" ::: "memory"); }
// Until shared memory may be written again; until the bytes are where they belong.
__device__ inline void AwaitStoresRead() {
  asm volatile("cp.async.bulk.wait_group.read 0;" ::: "memory");
}
__device__ inline void AwaitStores() { asm volatile("cp.async.bulk.wait_group 0;" ::: "memory"); }
__device__ inline void FenceForTma() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

// 64 or 128 rows of 128 bytes, swizzled; eight rows are 1024 bytes.
__device__ inline uint64_t Descriptor(const void* tile) {
  const uint64_t address = (SharedAddress(tile) & 0x3ffff) >> 4;
  return address | uint64_t{1} << 16 | uint64_t{1024 >> 4} << 32 | uint64_t{1} << 62;
}

__device__ inline void WgmmaFence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ inline void WgmmaCommit() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
__device__ inline void WgmmaWait() {
  asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
}

// d [64][n] (+)= a [64][32] b [n][32]'. Lane l of warp w holds, for each eight columns j, those of
// rows 16 w + l / 4 and 8 below, columns 8 j + 2 (l mod 4) and the next: d[4 j .. 4 j + 3].
template <int n>
__device__ void Wgmma(float (&d)[n / 2], uint64_t a, uint64_t b, bool add);

#define PIPESCOPE_D8(i)                                                                       \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), \
      "+f"(d[i + 6]), "+f"(d[i + 7])

template <>
__device__ inline void Wgmma<64>(float (&d)[32], uint64_t a, uint64_t b, bool add) {
  asm volatile(
      "{\n"
      ".reg .pred p;\n"
      "setp.ne.b32 p, %34, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n64k32.f32.e4m3.e4m3 "
      "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
      "%32, %33, p, 1, 1;\n"
      "}\n"
      : PIPESCOPE_D8(0), PIPESCOPE_D8(8), PIPESCOPE_D8(16), PIPESCOPE_D8(24)
      : "l"(a), "l"(b), "r"(static_cast<int>(add)));
}

template <>
__device__ inline void Wgmma<128>(float (&d)[64], uint64_t a, uint64_t b, bool add) {
  asm volatile(
      "{\n"
      ".reg .pred p;\n"
      "setp.ne.b32 p, %66, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n128k32.f32.e4m3.e4m3 "
      "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
      "%64, %65, p, 1, 1;\n"
      "}\n"
      : PIPESCOPE_D8(0), PIPESCOPE_D8(8), PIPESCOPE_D8(16), PIPESCOPE_D8(24), PIPESCOPE_D8(32),
        PIPESCOPE_D8(40), PIPESCOPE_D8(48), PIPESCOPE_D8(56)
      : "l"(a), "l"(b), "r"(static_cast<int>(add)));
}

#undef PIPESCOPE_D8

// Registers that a warpgroup gives back or takes: all 128 threads at once.
template <int count>
__device__ inline void GiveRegisters() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(count));
}
template <int count>
__device__ inline void TakeRegisters() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(count));
}
// Among the 128 threads of one warpgroup.
__device__ inline void SyncWarpgroup(int id) {
  asm volatile("bar.sync %0, 128;" ::"r"(id) : "memory");
}

}  // namespace pipescope::kernels::cuda
