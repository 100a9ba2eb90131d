// The exchange's kernels over any GPU fabric.
//
// A block is one SM of one channel pair of one rank, a warp one role. All blocks must be on the GPU
// at once, as they wait for each other: they are launched cooperatively, which fails if they do not
// fit. A role that has waited for ten seconds gives up and says so; so do all that wait for it.
//
// Fabrics are made by `Maker`: maker(const Rank&) on the device.
#pragma once

#include <string>

#include "kernels/exchange/notify.h"
#include "kernels/exchange/roles.h"

namespace pipescope::kernels::exchange {

// Of one block; sets the registers a lane may have.
inline constexpr int kMostWarps = 16;

__device__ __forceinline__ uint64_t NowNs() {
  uint64_t now;
  asm volatile("mov.u64 %0, %globaltimer;" : "=l"(now));
  return now;
}

// The rank of this block, in shared memory: every step reads its sizes.
__device__ __forceinline__ const Rank& SharedRank(const Rank* ranks, int index) {
  __shared__ alignas(16) unsigned char copy[sizeof(Rank)];
  static_assert(sizeof(Rank) % 4 == 0);
  const auto* from = reinterpret_cast<const uint32_t*>(ranks + index);
  for (unsigned i = threadIdx.x; i < sizeof(Rank) / 4; i += blockDim.x) {
    reinterpret_cast<uint32_t*>(copy)[i] = from[i];
  }
  __syncthreads();
  return *reinterpret_cast<const Rank*>(copy);
}

template <class Role, class Fabric>
__device__ __forceinline__ void RunRole(Role& role, Fabric& fabric, int* stuck) {
  constexpr uint64_t kPatienceNs = 10'000'000'000;
  uint64_t since = 0;  // when waiting began, 0: it does not wait
  for (;;) {
    const Progress progress = role.Step(fabric);
    if (progress == Progress::kDone) return;
    if (progress == Progress::kMoved) {
      since = 0;
      continue;
    }
    const uint64_t now = NowNs();
    if (since == 0) since = now;
    // All lanes give up together, or they would meet no more.
    if (__shfl_sync(~0U, now - since > kPatienceNs ? 1 : 0, 0) != 0) break;
  }
  if (fabric.lane() == 0) atomicAdd(stuck, 1);
}

// Blocks (rank, channel), warps are nodes.
template <class Maker>
__global__ void __launch_bounds__(32 * kMostNodes)
    LayOutKernel(const Rank* ranks, const __grid_constant__ Maker maker) {
  const Rank& rank = SharedRank(ranks, static_cast<int>(blockIdx.x));
  auto fabric = maker(rank);
  LayOut(rank, fabric, static_cast<int>(blockIdx.y), static_cast<int>(threadIdx.x / 32));
}

// Blocks are ranks, of one warp.
template <class Maker>
__global__ void __launch_bounds__(32)
    NotifyKernel(const Rank* ranks, const __grid_constant__ Maker maker, int* stuck) {
  const Rank& rank = SharedRank(ranks, static_cast<int>(blockIdx.x));
  auto fabric = maker(rank);
  Notify<decltype(fabric)> role(rank, fabric);
  RunRole(role, fabric, stuck);
}

// Blocks (rank, SM); warps are roles.
template <Direction direction, class Maker>
__global__ void __launch_bounds__(32 * kMostWarps)
    RolesKernel(const Rank* ranks, const __grid_constant__ Maker maker, int* stuck) {
  const Rank& rank = SharedRank(ranks, static_cast<int>(blockIdx.x));
  auto fabric = maker(rank);
  using Fabric = decltype(fabric);
  const int sm = static_cast<int>(blockIdx.y % 2);
  const int warp = static_cast<int>(threadIdx.x / 32);
  if (warp >= rank.config.per_pair * WarpsOfChannel(rank.config, direction, sm)) return;
  const Role role = RoleOf(rank.config, direction, static_cast<int>(blockIdx.y / 2), sm, warp);
  WithRole<Fabric, direction>(rank.config, rank.node, role, [&](auto type, int peer) {
    typename decltype(type)::type one(rank, fabric, role.channel, peer);
    RunRole(one, fabric, stuck);
  });
}

// Warps that a block of RolesKernel needs.
inline int WarpsOfBlock(const Config& g, Direction direction) {
  const int first = WarpsOfChannel(g, direction, 0);
  const int second = WarpsOfChannel(g, direction, 1);
  return g.per_pair * (first > second ? first : second);
}

inline Status CheckWarps(const Config& config) {
  for (Direction direction : {Direction::kDispatch, Direction::kCombine}) {
    const int warps = WarpsOfBlock(config, direction);
    if (warps <= kMostWarps) continue;
    return Fail("per_pair: " + std::to_string(config.per_pair) + " channels a pair of SMs need " +
                std::to_string(warps) + " warps an SM: expected at most " +
                std::to_string(kMostWarps));
  }
  return {};
}

}  // namespace pipescope::kernels::exchange
