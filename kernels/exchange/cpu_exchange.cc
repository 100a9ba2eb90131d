#include "kernels/exchange/cpu_exchange.h"

#include "kernels/exchange/host_exchange.h"

namespace pipescope::kernels::exchange {
namespace {

// A task owns its warp, of one lane, and its role.
struct CpuWarps {
  using Fabric = CpuFabric;

  template <class R, class... Peer>
  static Task Make(const CpuFabric& fabric, const Rank& rank, Peer... peer) {
    struct Both {
      Both(const CpuFabric& f, const Rank& r, Peer... p) : warp(f), role(r, warp, p...) {}
      CpuFabric warp;
      R role;
    };
    auto both = std::make_shared<Both>(fabric, rank, peer...);
    return [both] { return both->role.Step(both->warp); };
  }
};

}  // namespace

Result<std::unique_ptr<Exchange>> CpuExchange::Make(const Config& config,
                                                    const Schedule& schedule) {
  return HostExchange<CpuWarps>::Make(config, schedule);
}

}  // namespace pipescope::kernels::exchange
