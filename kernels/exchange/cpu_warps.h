// The warps of a rank that is a thread of a CPU: a task owns its warp, of one lane, and its role.
#pragma once

#include <memory>

#include "kernels/exchange/cpu_fabric.h"
#include "kernels/exchange/schedule.h"

namespace pipescope::kernels::exchange {

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

}  // namespace pipescope::kernels::exchange
