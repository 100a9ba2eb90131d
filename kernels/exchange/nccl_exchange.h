// The exchange between nodes, one process a GPU, over NCCL's device API.
//
//   auto id = NewNcclId();                         on rank 0; every rank gets it (mpirun, a file)
//   auto rank = NcclRank::Make(config, r, gpu, *id, way);     all ranks together
//   auto rows = (*rank)->Dispatch(tokens);                 all ranks together
//
// NCCL and the GPU's driver are loaded at run time; what is missing is said. Compiled and
// looked into, not yet run: no GPU was at hand.
#pragma once

#include <array>
#include <memory>

#include "kernels/exchange/exchange.h"

namespace pipescope::kernels::exchange {

using NcclId = std::array<char, 128>;
Result<NcclId> NewNcclId();

// The protocol, or ncclSend and ncclRecv alone: where the network has no GIN, and as a baseline.
// Both give the same bytes.
enum class Way { kProtocol, kSendRecv };

class NcclRank {
 public:
  // Rank `rank` of the configuration, on this machine's GPU `gpu`. Consecutive ranks share a node:
  // NCCL must see `locals` GPUs that reach each other's memory.
  static Result<std::unique_ptr<NcclRank>> Make(const Config& config, int rank, int gpu,
                                                const NcclId& id, Way way);
  virtual ~NcclRank() = default;

  virtual Result<DispatchOutput> Dispatch(const DispatchInput& input) = 0;
  virtual Result<DispatchOutput> DispatchAgain(const DispatchInput& input) = 0;
  virtual Result<CombineOutput> Combine(const CombineInput& input, bool weights) = 0;
  // Does the last dispatch or combine again, all ranks together; this GPU's times.
  virtual Result<std::vector<double>> Seconds(Part part, int runs) = 0;
};

}  // namespace pipescope::kernels::exchange
