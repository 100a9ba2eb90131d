// Which warp does what: the roles of each SM of a channel's pair, in the order of its warps.
//
//   dispatch  SM 0: send (one for each other node), receive (one for each GPU of the node)
//             SM 1: forward (one for each GPU of the node), credit
//   combine   SM 0: send (one for each GPU of the node), receive
//             SM 1: forward (one for each node)
//
// A pair's channels follow one another. Example: 4 nodes x 8, a channel a pair: dispatch has 11
// warps on SM 0 and 9 on SM 1.
#pragma once

#include <type_traits>

#include "kernels/exchange/combine.h"
#include "kernels/exchange/dispatch.h"

namespace pipescope::kernels::exchange {

enum class Direction { kDispatch, kCombine };

struct Role {
  enum Kind { kSend, kForward, kCredit, kReceive };
  Kind kind = kSend;
  int channel = 0;
  int peer = 0;  // which of the channel's warps of that kind
};

inline constexpr int kRoleKinds = 4;

// Warps of a role on the SM, for one channel.
constexpr int WarpsOf(const Config& g, Direction direction, int sm, Role::Kind kind) {
  if ((kind == Role::kForward || kind == Role::kCredit) != (sm == 1)) return 0;
  const bool dispatch = direction == Direction::kDispatch;
  switch (kind) {
    case Role::kSend:
      return dispatch ? g.nodes - 1 : g.locals;
    case Role::kForward:
      return dispatch ? g.locals : g.nodes;
    case Role::kCredit:
      return dispatch && g.nodes > 1 ? 1 : 0;
    default:
      return dispatch ? g.locals : 1;
  }
}

constexpr int WarpsOfChannel(const Config& g, Direction direction, int sm) {
  int warps = 0;
  for (int kind = 0; kind < kRoleKinds; ++kind) {
    warps += WarpsOf(g, direction, sm, static_cast<Role::Kind>(kind));
  }
  return warps;
}

// `warp` counts over the pair's channels: less than per_pair x WarpsOfChannel.
constexpr Role RoleOf(const Config& g, Direction direction, int pair, int sm, int warp) {
  const int per_channel = WarpsOfChannel(g, direction, sm);
  Role role;
  role.channel = pair * g.per_pair + warp / per_channel;
  role.peer = warp % per_channel;
  for (int kind = 0; kind < kRoleKinds; ++kind) {
    role.kind = static_cast<Role::Kind>(kind);
    const int warps = WarpsOf(g, direction, sm, role.kind);
    if (role.peer < warps) break;
    role.peer -= warps;
  }
  return role;
}

// The n-th other node, from the rank's own on, so that not all send to node 0 first.
constexpr int OtherNode(const Config& g, int node, int n) { return (node + 1 + n) % g.nodes; }

// Calls run(std::type_identity<R>(), peer) with the role's type.
template <class Fabric, Direction direction, class Run>
PIPESCOPE_BOTH void WithRole(const Config& g, int node, const Role& role, const Run& run) {
  if constexpr (direction == Direction::kDispatch) {
    switch (role.kind) {
      case Role::kSend:
        return run(std::type_identity<DispatchSend<Fabric>>(), OtherNode(g, node, role.peer));
      case Role::kForward:
        return run(std::type_identity<DispatchForward<Fabric>>(), role.peer);
      case Role::kCredit:
        return run(std::type_identity<DispatchCredit<Fabric>>(), 0);
      case Role::kReceive:
        return run(std::type_identity<DispatchReceive<Fabric>>(), role.peer);
    }
  } else {
    switch (role.kind) {
      case Role::kSend:
        return run(std::type_identity<CombineSend<Fabric>>(), role.peer);
      case Role::kForward:
        return run(std::type_identity<CombineForward<Fabric>>(), role.peer);
      case Role::kReceive:
        return run(std::type_identity<CombineReceive<Fabric>>(), 0);
      case Role::kCredit:
        return;  // readers return slots themselves
    }
  }
}

}  // namespace pipescope::kernels::exchange
