// Ranks in GPU memory that one kernel can address: many ranks on one GPU, or GPUs with peer access
// over NVLink. A warp is 32 lanes. ring.h says what a fabric must do.
//
// PTX's memory model: what lanes wrote before __syncwarp is ordered before lane 0's release, and
// what they read after the __syncwarp that follows lane 0's acquire comes after it. So rows
// themselves are plain 16-byte loads and stores. `Far` GPUs need system scope, one GPU its own.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/exchange/ring.h"
#include "kernels/exchange/sum.h"

namespace pipescope::kernels::exchange {

enum class Scope { kGpu, kSystem };

template <Scope scope>
__device__ __forceinline__ uint64_t LoadAcquire(const uint64_t* from) {
  uint64_t value;
  if constexpr (scope == Scope::kGpu) {
    asm volatile("ld.acquire.gpu.global.u64 %0, [%1];" : "=l"(value) : "l"(from) : "memory");
  } else {
    asm volatile("ld.acquire.sys.global.u64 %0, [%1];" : "=l"(value) : "l"(from) : "memory");
  }
  return value;
}

template <Scope scope>
__device__ __forceinline__ void StoreRelease(uint64_t* to, uint64_t value) {
  if constexpr (scope == Scope::kGpu) {
    asm volatile("st.release.gpu.global.u64 [%0], %1;" ::"l"(to), "l"(value) : "memory");
  } else {
    asm volatile("st.release.sys.global.u64 [%0], %1;" ::"l"(to), "l"(value) : "memory");
  }
}

template <Scope scope>
__device__ __forceinline__ void AddRelease(uint64_t* to, uint64_t value) {
  if constexpr (scope == Scope::kGpu) {
    asm volatile("red.release.gpu.global.add.u64 [%0], %1;" ::"l"(to), "l"(value) : "memory");
  } else {
    asm volatile("red.release.sys.global.add.u64 [%0], %1;" ::"l"(to), "l"(value) : "memory");
  }
}

// Rows pass once: they need no place in L1. Said in PTX, as the compiler does not know that the
// addresses are of global memory.
__device__ __forceinline__ uint4 Load16(const uint4* from) {
  uint4 v;
  asm volatile("ld.global.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
               : "l"(from)
               : "memory");
  return v;
}

__device__ __forceinline__ void Store16(uint4* to, const uint4& v) {
  asm volatile("st.global.L1::no_allocate.v4.u32 [%0], {%1, %2, %3, %4};" ::"l"(to), "r"(v.x),
               "r"(v.y), "r"(v.z), "r"(v.w)
               : "memory");
}

// A 64-bit word for each key below 32, each in the register of its lane.
class LaneCounters {
 public:
  __device__ __forceinline__ uint64_t Get(int key) const {
    return __shfl_sync(~0U, static_cast<unsigned long long>(value_), key);
  }
  __device__ __forceinline__ void Set(int key, uint64_t value) {
    if (static_cast<int>(threadIdx.x % 32) == key) value_ = value;
  }

 private:
  uint64_t value_ = 0;
};

// What a warp does the same way on every GPU fabric.
class Warp {
 public:
  static constexpr int kLanes = 32;
  using Counters = LaneCounters;
  static_assert(kMostNodes <= kLanes && kMostLocals <= kLanes);

  __device__ __forceinline__ int lane() const { return static_cast<int>(threadIdx.x % 32); }
  __device__ __forceinline__ void Sync() const { __syncwarp(); }
  __device__ __forceinline__ int Sum(int value) const { return __reduce_add_sync(~0U, value); }

  // Eight loads of a lane are in flight at once: 4 KiB of a warp.
  __device__ __forceinline__ void Copy(std::byte* to, const std::byte* from, int64_t bytes) const {
    constexpr int kInFlight = 8;
    const int count = static_cast<int>(bytes / 16);
    const auto* source = reinterpret_cast<const uint4*>(from);
    auto* target = reinterpret_cast<uint4*>(to);
    for (int at = lane(); at < count; at += kInFlight * kLanes) {
      uint4 loaded[kInFlight];
#pragma unroll
      for (int i = 0; i < kInFlight; ++i) {
        if (at + i * kLanes < count) loaded[i] = Load16(source + at + i * kLanes);
      }
#pragma unroll
      for (int i = 0; i < kInFlight; ++i) {
        if (at + i * kLanes < count) Store16(target + at + i * kLanes, loaded[i]);
      }
    }
  }
  __device__ __forceinline__ Eight Load(const std::byte* from) const {
    const uint4 v = Load16(reinterpret_cast<const uint4*>(from));
    return {{v.x, v.y, v.z, v.w}};
  }
  __device__ __forceinline__ void Store(std::byte* to, const Eight& v) const {
    Store16(reinterpret_cast<uint4*>(to),
            make_uint4(v.pairs[0], v.pairs[1], v.pairs[2], v.pairs[3]));
  }

 protected:
  template <Scope scope>
  __device__ __forceinline__ uint64_t Acquired(const std::byte* word) const {
    uint64_t value = 0;
    if (lane() == 0) value = LoadAcquire<scope>(reinterpret_cast<const uint64_t*>(word));
    value = __shfl_sync(~0U, static_cast<unsigned long long>(value), 0);
    __syncwarp();
    return value;
  }
  template <Scope scope>
  __device__ __forceinline__ void Release(std::byte* word, uint64_t value) const {
    __syncwarp();
    if (lane() == 0) StoreRelease<scope>(reinterpret_cast<uint64_t*>(word), value);
  }
};

template <Scope scope>
class GpuFabric : public Warp {
 public:
  __device__ __forceinline__ GpuFabric(const Rank& rank, std::byte* const* windows)
      : rank_(rank), windows_(windows) {}

  __device__ __forceinline__ std::byte* Own(int64_t at) const { return Near(rank_.local, at); }
  __device__ __forceinline__ std::byte* Near(int local, int64_t at) const {
    return windows_[rank_.config.RankOf(rank_.node, local)] + at;
  }
  __device__ __forceinline__ uint64_t Flag(int flag) const {
    return Acquired<scope>(Own(Words().FlagsAt() + flag * Window::kWordStride));
  }
  __device__ __forceinline__ void Signal(int local, int flag, uint64_t value) const {
    Release<scope>(Near(local, Words().FlagsAt() + flag * Window::kWordStride), value);
  }
  __device__ __forceinline__ uint64_t Counter(int counter) const {
    return Acquired<scope>(Own(Words().CountersAt() + counter * Window::kWordStride));
  }
  __device__ __forceinline__ void Add(int node, int counter, uint64_t n) const {
    __syncwarp();
    auto* word = Far(node, Words().CountersAt() + counter * Window::kWordStride);
    if (lane() == 0) AddRelease<scope>(reinterpret_cast<uint64_t*>(word), n);
  }
  // Rows that other lanes wrote to `from` are visible after the meeting.
  __device__ __forceinline__ void Put(int node, int64_t to, int64_t from, int64_t bytes,
                                      int counter, uint64_t n) const {
    __syncwarp();
    Copy(Far(node, to), Own(from), bytes);
    Add(node, counter, n);
  }
  __device__ __forceinline__ uint64_t Cursor(int cursor) const {
    return *reinterpret_cast<uint64_t*>(Own(Words().CursorsAt() + cursor * Window::kWordStride));
  }
  __device__ __forceinline__ void SetCursor(int cursor, uint64_t value) const {
    auto* word = Own(Words().CursorsAt() + cursor * Window::kWordStride);
    if (lane() == 0) *reinterpret_cast<uint64_t*>(word) = value;
  }

 private:
  __device__ __forceinline__ Window Words() const { return Window(rank_.config); }
  __device__ __forceinline__ std::byte* Far(int node, int64_t at) const {
    return windows_[rank_.config.RankOf(node, rank_.local)] + at;
  }

  const Rank& rank_;
  std::byte* const* windows_;
};

}  // namespace pipescope::kernels::exchange
