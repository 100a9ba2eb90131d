// Ranks on GPUs of several nodes, through NCCL's device API (2.28): GPUs of a node reach each
// other's windows by load and store (LSA, "load-store accessible"), nodes by puts that the GPU
// posts itself (GIN, "GPU-initiated networking") along rails. ring.h says what a fabric must do.
//
// Counters are GIN's signals, which can be added to by a put and read, but not set: rings count up
// for that reason. A signal is visible after its put's bytes and those of earlier puts to that peer
// on the same context, which is what a tail needs. All of a rank's puts take one context, so order
// holds whichever warp posts.
//
// Source: NCCL 2.28.9, nccl_device/gin.h and core.h.
#pragma once

#include <nccl_device.h>

#include "kernels/exchange/gpu_fabric.cuh"

namespace pipescope::kernels::exchange {

class NcclFabric : public Warp {
 public:
  __device__ __forceinline__ NcclFabric(const Rank& rank, const ncclDevComm& comm,
                                        ncclWindow_t window)
      : rank_(rank), comm_(comm), window_(window) {}

  __device__ __forceinline__ std::byte* Own(int64_t at) const {
    return static_cast<std::byte*>(ncclGetLocalPointer(window_, static_cast<size_t>(at)));
  }
  __device__ __forceinline__ std::byte* Near(int local, int64_t at) const {
    return static_cast<std::byte*>(ncclGetLsaPointer(window_, static_cast<size_t>(at), local));
  }
  __device__ __forceinline__ uint64_t Flag(int flag) const {
    return Acquired<Scope::kSystem>(Own(Words().FlagsAt() + flag * Window::kWordStride));
  }
  __device__ __forceinline__ void Signal(int local, int flag, uint64_t value) const {
    Release<Scope::kSystem>(Near(local, Words().FlagsAt() + flag * Window::kWordStride), value);
  }
  __device__ __forceinline__ uint64_t Counter(int counter) const {
    uint64_t value = 0;
    if (lane() == 0) value = ncclGin(comm_, kContext).readSignal(static_cast<uint32_t>(counter));
    value = __shfl_sync(~0U, static_cast<unsigned long long>(value), 0);
    __syncwarp();
    return value;
  }
  __device__ __forceinline__ void Add(int node, int counter, uint64_t n) const {
    __syncwarp();
    if (lane() != 0) return;
    ncclGin(comm_, kContext)
        .signal(ncclTeamRail(comm_), node, ncclGin_SignalAdd{static_cast<uint32_t>(counter), n});
  }
  // NCCL releases what this thread has seen: by __syncwarp that is what all lanes wrote.
  __device__ __forceinline__ void Put(int node, int64_t to, int64_t from, int64_t bytes,
                                      int counter, uint64_t n) const {
    __syncwarp();
    if (lane() != 0) return;
    ncclGin(comm_, kContext)
        .put(ncclTeamRail(comm_), node, window_, static_cast<size_t>(to), window_,
             static_cast<size_t>(from), static_cast<size_t>(bytes),
             ncclGin_SignalAdd{static_cast<uint32_t>(counter), n});
  }
  __device__ __forceinline__ uint64_t Cursor(int cursor) const {
    return *reinterpret_cast<uint64_t*>(Own(Words().CursorsAt() + cursor * Window::kWordStride));
  }
  __device__ __forceinline__ void SetCursor(int cursor, uint64_t value) const {
    auto* word = Own(Words().CursorsAt() + cursor * Window::kWordStride);
    if (lane() == 0) *reinterpret_cast<uint64_t*>(word) = value;
  }

 private:
  static constexpr int kContext = 0;

  __device__ __forceinline__ Window Words() const { return Window(rank_.config); }

  const Rank& rank_;
  const ncclDevComm& comm_;
  const ncclWindow_t window_;
};

}  // namespace pipescope::kernels::exchange
