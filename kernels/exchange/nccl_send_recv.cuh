// The same dispatch and combine by ncclSend and ncclRecv alone: where NCCL has no device side for
// the network at hand, and as what the protocol is compared with.
//
//   dispatch  rows packed by rank, one message to each rank, rows unpacked: a token crosses the
//             network once for each GPU, not once for each node
//   combine   one message back to each rank; a warp adds up a token's rows as combine.h does
//
// Rows arrive by home and then by token, so results are the protocol's to the bit. The
// host makes the lists of rows, and counts go the same way: neither GIN nor LSA is needed.
#pragma once

#include "kernels/exchange/gpu_fabric.cuh"
#include "kernels/exchange/gpu_kernels.cuh"
#include "kernels/exchange/gpu_rank.cuh"
#include "kernels/exchange/nccl_library.h"

namespace pipescope::kernels::exchange {

inline constexpr int kPackWarps = 8;     // of a block
inline constexpr int kPackBlocks = 264;  // two for each SM of an H100 or H200

// Calls one(warp, i) for each i below count, a warp each.
template <class One>
__device__ __forceinline__ void ForEachRow(int count, const One& one) {
  Warp warp;
  const int first = static_cast<int>(blockIdx.x) * kPackWarps + static_cast<int>(threadIdx.x / 32);
  for (int i = first; i < count; i += static_cast<int>(gridDim.x) * kPackWarps) one(warp, i);
}

__global__ void PackTokens(const Rank* ranks, const int32_t* tokens, int count, std::byte* slots) {
  const Rank& rank = SharedRank(ranks, 0);
  ForEachRow(count, [&](Warp& warp, int i) {
    WriteRow(rank, warp, tokens[i], 0, slots + i * rank.config.dispatch_slot());
  });
}

__global__ void UnpackTokens(const Rank* ranks, int count, const std::byte* slots) {
  const Rank& rank = SharedRank(ranks, 0);
  ForEachRow(count, [&](Warp& warp, int i) {
    const std::byte* slot = slots + i * rank.config.dispatch_slot();
    ReadRow(rank, warp, slot, HeaderOf(rank.config, slot), i);
  });
}

__global__ void PackResults(const Rank* ranks, int count, std::byte* slots) {
  const Rank& rank = SharedRank(ranks, 0);
  ForEachRow(count, [&](Warp& warp, int i) {
    WriteResult(rank, warp, i, slots + i * rank.config.combine_slot());
  });
}

// `rows` is [token][rank]: the slot of each, -1 for none. `scratch` has a slot a node for each
// warp.
__global__ void SumTokens(const Rank* ranks, const int32_t* rows, const std::byte* slots,
                          std::byte* scratch) {
  const Rank& rank = SharedRank(ranks, 0);
  const Config& g = rank.config;
  const int64_t bytes = g.combine_slot();
  const unsigned own = blockIdx.x * kPackWarps + threadIdx.x / 32;
  ForEachRow(rank.tokens, [&](Warp& warp, int token) {
    Addends<Warp> nodes;
    for (int n = 0; n < g.nodes; ++n) {
      Addends<Warp> on_node;
      for (int j = 0; j < g.locals; ++j) {
        const int row = rows[int64_t{token} * g.ranks() + g.RankOf(n, j)];
        if (row >= 0) on_node.Append(slots + row * bytes);
      }
      if (g.nodes == 1) return SumRows(rank, warp, on_node, TargetOf(rank, token, nullptr));
      if (on_node.count() == 0) continue;
      std::byte* slot = scratch + (int64_t{own} * g.nodes + n) * bytes;
      SumRows(rank, warp, on_node, TargetOf(rank, -1, slot));
      nodes.Append(slot);
    }
    warp.Sync();
    SumRows(rank, warp, nodes, TargetOf(rank, token, nullptr));
    warp.Sync();  // before the next token takes the scratch
  });
}

class SendRecv {
 public:
  SendRecv(const NcclLibrary& nccl, const Config& config) : nccl_(nccl), config_(config) {}

  // Who gets what: counts swapped, lists of rows made. Returns the rows to be received, and fills
  // the plan's counts by expert.
  Result<int> Plan(ncclComm_t comm, int gpu, const DispatchInput& in, const Rank& rank) {
    const Config& g = config_;
    const int width = 1 + g.experts_of_rank();
    std::vector<int32_t> tokens;
    std::vector<int32_t> slots(static_cast<size_t>(in.tokens * g.ranks()), -1);
    std::vector<int32_t> counts(static_cast<size_t>(g.ranks() * width));
    send_.assign(1, 0);
    for (int r = 0; r < g.ranks(); ++r) {
      int32_t* count = counts.data() + r * width;
      for (int token = 0; token < in.tokens; ++token) {
        if (!CountChoices(in, token, r, count + 1)) continue;
        slots[static_cast<size_t>(token * g.ranks() + r)] = static_cast<int32_t>(tokens.size());
        tokens.push_back(token);
        ++count[0];
      }
      send_.push_back(static_cast<int32_t>(tokens.size()));
    }
    if (auto ok = SwapCounts(comm, gpu, width, &counts); !ok) return Fail(ok.error());
    std::vector<int32_t> expert_rows(static_cast<size_t>(g.experts_of_rank()));
    receive_.assign(1, 0);
    for (int r = 0; r < g.ranks(); ++r) {
      const int32_t* count = counts.data() + r * width;
      receive_.push_back(receive_.back() + count[0]);
      for (size_t e = 0; e < expert_rows.size(); ++e) expert_rows[e] += count[1 + e];
    }
    for (int32_t& rows : expert_rows) rows = static_cast<int32_t>(AlignUp(rows, g.alignment));
    const auto ok = PutArray(expert_rows.data(), expert_rows.size(), rank.plan.expert_rows);
    if (!ok) return Fail(ok.error());
    if (auto room = Allocate(gpu, tokens, slots); !room) return Fail(room.error());
    return receive_.back();
  }

  Status Dispatch(ncclComm_t comm, const Rank* rank) {
    PackTokens<<<kPackBlocks, 32 * kPackWarps>>>(rank, tokens_.as<int32_t>(), send_.back(),
                                                 home_.as());
    if (auto ok = Swap(comm, home_, send_, away_, receive_, config_.dispatch_slot()); !ok)
      return ok;
    UnpackTokens<<<kPackBlocks, 32 * kPackWarps>>>(rank, receive_.back(), away_.as());
    return {};
  }

  Status Combine(ncclComm_t comm, const Rank* rank) {
    PackResults<<<kPackBlocks, 32 * kPackWarps>>>(rank, receive_.back(), away_.as());
    if (auto ok = Swap(comm, away_, receive_, home_, send_, config_.combine_slot()); !ok) return ok;
    SumTokens<<<kPackBlocks, 32 * kPackWarps>>>(rank, slots_.as<int32_t>(), home_.as(),
                                                scratch_.as());
    return {};
  }

 private:
  // Whether a token goes to rank r; adds its choices to the counts of r's experts.
  bool CountChoices(const DispatchInput& in, int token, int r, int32_t* experts) const {
    bool goes = false;
    for (int k = 0; k < config_.selected; ++k) {
      const int expert = in.experts[static_cast<size_t>(token * config_.selected + k)];
      if (expert < 0 || config_.RankOfExpert(expert) != r) continue;
      goes = true;
      ++experts[expert % config_.experts_of_rank()];
    }
    return goes;
  }

  // counts[r] for rank r becomes counts[r] from rank r.
  Status SwapCounts(ncclComm_t comm, int gpu, int width, std::vector<int32_t>* counts) {
    std::vector<int32_t> first;
    for (int r = 0; r <= config_.ranks(); ++r) first.push_back(r);
    if (auto ok = tokens_.Put(gpu, *counts); !ok) return ok;
    if (auto ok = slots_.Put(gpu, *counts); !ok) return ok;
    if (auto ok = Swap(comm, tokens_, first, slots_, first, 4 * width); !ok) return ok;
    if (auto ok = Cuda(cudaDeviceSynchronize(), "send and receive"); !ok) return ok;
    return slots_.Get(counts);
  }

  Status Allocate(int gpu, const std::vector<int32_t>& tokens, const std::vector<int32_t>& slots) {
    const int64_t slot = std::max(config_.dispatch_slot(), config_.combine_slot());
    const int64_t warps = kPackBlocks * kPackWarps;
    if (auto ok = tokens_.Put(gpu, tokens); !ok) return ok;
    if (auto ok = slots_.Put(gpu, slots); !ok) return ok;
    if (auto ok = home_.Reset(gpu, send_.back() * slot, 0); !ok) return ok;
    if (auto ok = away_.Reset(gpu, receive_.back() * slot, 0); !ok) return ok;
    return scratch_.Reset(gpu, warps * config_.nodes * config_.combine_slot(), 0);
  }

  // Rows [first[r], first[r + 1]) of `from` to rank r, and the like of `to` from it.
  Status Swap(ncclComm_t comm, const GpuBytes& from, const std::vector<int32_t>& from_first,
              const GpuBytes& to, const std::vector<int32_t>& to_first, int64_t slot) {
    auto ok = nccl_.Check(nccl_.begin_group(), "a group");
    for (size_t r = 0; ok && r + 1 < from_first.size(); ++r) {
      const auto bytes = [&](const std::vector<int32_t>& first) {
        return static_cast<size_t>((first[r + 1] - first[r]) * slot);
      };
      const int peer = static_cast<int>(r);
      ok = nccl_.Check(nccl_.send(from.as() + from_first[r] * slot, bytes(from_first), ncclInt8,
                                  peer, comm, nullptr),
                       "send");
      if (!ok) break;
      ok = nccl_.Check(nccl_.receive(to.as() + to_first[r] * slot, bytes(to_first), ncclInt8, peer,
                                     comm, nullptr),
                       "receive");
    }
    auto end = nccl_.Check(nccl_.end_group(), "a group");
    return ok ? end : ok;
  }

  const NcclLibrary& nccl_;
  const Config& config_;
  std::vector<int32_t> send_;  // first row for each rank, in the order of packing; then their end
  std::vector<int32_t> receive_;  // the same of rows received
  GpuBytes tokens_, slots_, home_, away_, scratch_;
};

}  // namespace pipescope::kernels::exchange
