// The exchange between nodes, one process a GPU, over NCCL's device API.
//
//   auto id = NewNcclId();                         on rank 0; every rank gets it (mpirun, a file)
//   auto rank = NcclRank::Make(config, r, gpu, *id);       all ranks together
//   auto rows = (*rank)->Dispatch(tokens);                 all ranks together
//
// NCCL and the GPU's driver are loaded at run time; what is missing is said. Compiled and looked
// into, but never run yet: no machine with two GPUs was at hand.
#pragma once

#include <array>
#include <memory>

#include "kernels/exchange/data.h"

namespace pipescope::kernels::exchange {

using NcclId = std::array<char, 128>;
Result<NcclId> NewNcclId();

class NcclRank {
 public:
  // Rank `rank` of the configuration, on this machine's GPU `gpu`. Consecutive ranks share a node:
  // NCCL must see `locals` GPUs that reach each other's memory.
  static Result<std::unique_ptr<NcclRank>> Make(const Config& config, int rank, int gpu,
                                                const NcclId& id);
  virtual ~NcclRank() = default;

  virtual Result<DispatchOutput> Dispatch(const DispatchInput& input) = 0;
  virtual Result<DispatchOutput> DispatchAgain(const DispatchInput& input) = 0;
  virtual Result<CombineOutput> Combine(const CombineInput& input, bool weights) = 0;
};

}  // namespace pipescope::kernels::exchange
