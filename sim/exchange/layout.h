// Where a message starts, passes and ends, and how long the links need for it: the same for both
// directions, since a combine returns what a dispatch sent. A message is of the GPU `home` and a
// channel, for a node; `forwarder` is the GPU of home's index there.
#pragma once

#include "sim/exchange/machine.h"
#include "sim/exchange/traffic.h"

namespace pipescope::exchange {

class Layout {
 public:
  Layout(const Traffic& traffic, const Machine& machine, Bytes row)
      : traffic_(traffic), machine_(machine), row_(row), shape_(traffic.shape) {}

  const Message& At(int32_t m) const { return traffic_.messages[static_cast<size_t>(m)]; }
  int Lane(int32_t m) const { return At(m).stream / shape_.nodes; }
  int Channel(int32_t m) const { return Lane(m) % shape_.channels; }
  int Home(int32_t m) const { return Lane(m) / shape_.channels; }
  int Node(int32_t m) const { return At(m).stream % shape_.nodes; }
  bool StaysOnNode(int32_t m) const { return Node(m) == shape_.NodeOf(Home(m)); }
  // The place on its node of the forwarder, which keeps rows for itself off NVLink.
  int OwnLocal(int32_t m) const { return shape_.LocalOf(Home(m)); }
  int Forwarder(int32_t m) const { return shape_.Player(Node(m), OwnLocal(m)); }
  int Rows(int32_t m, int local) const { return traffic_.Rows(m, local); }

  Duration OverNetwork(int32_t m) const {
    return Bytes(row_.value() * At(m).tokens) / machine_.network;
  }
  Duration OverNvlink(int32_t m, int local) const {
    return Bytes(row_.value() * Rows(m, local)) / machine_.nvlink;
  }
  // Until the other end of a ring between nodes, or within one, knows of freed slots.
  Duration NetworkCredit(int32_t m) const {
    return StaysOnNode(m) ? Duration() : machine_.network_latency;
  }
  Duration NvlinkCredit(int32_t m, int local) const {
    return local == OwnLocal(m) ? Duration() : machine_.nvlink_latency;
  }

 private:
  const Traffic& traffic_;
  const Machine& machine_;
  const Bytes row_;
  const Shape shape_;
};

}  // namespace pipescope::exchange
