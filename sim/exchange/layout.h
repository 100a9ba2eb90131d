// Where a message starts, passes and ends, and how long the links need for it: the same for both
// directions, since a combine returns what a dispatch sent. A message is of the GPU `home` and a
// channel, for a node; `forwarder` is the GPU of home's index there.
#pragma once

#include <algorithm>

#include "sim/exchange/machine.h"
#include "sim/exchange/ports.h"
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

  // A combine's send warps of a GPU serve the forwarder at `to` of their node; folded, the mirror
  // image of it.
  int SenderOf(int32_t m, int local) const {
    const int gpu = shape_.Player(Node(m), local);
    const int to = shape_.folded ? local : OwnLocal(m);
    return (gpu * shape_.channels + Channel(m)) * shape_.gpus_per_node + to;
  }
  // The stream on whose way back a sender's rows for node `home` are, and the sender's place in it.
  int StreamFor(int sender, int home) const {
    const int to = sender % shape_.gpus_per_node;
    const int lane = sender / shape_.gpus_per_node;
    const int channel = lane % shape_.channels;
    const int from = shape_.Player(home, to);
    const int node = shape_.folded ? home : shape_.NodeOf(lane / shape_.channels);
    return (from * shape_.channels + channel) * shape_.nodes + node;
  }
  int PlaceOf(int sender) const {
    return shape_.folded ? sender % shape_.gpus_per_node
                         : shape_.LocalOf(sender / shape_.gpus_per_node / shape_.channels);
  }

  // The GPU whose NIC carries what this one sends and receives.
  int NicOf(int gpu) const {
    return machine_.lenders.empty() ? gpu : machine_.lenders[static_cast<size_t>(gpu)];
  }
  // A whole message over NVLink between a GPU and the one that lends its NIC.
  Duration HandOver(int32_t m, Duration now, int from, int to, Ports& ports) const {
    const Duration took = Bytes(row_.value() * At(m).tokens) / machine_.nvlink;
    const Duration start = ports.nvlink_out[static_cast<size_t>(from)].Serve(now, took);
    const Duration ready = start + machine_.nvlink_latency;
    return ports.nvlink_in[static_cast<size_t>(to)].Serve(ready, took) + took;
  }
  // What a warp of this GPU takes for a row that takes others `time`.
  Duration ByWarpOf(int gpu, Duration time) const {
    if (machine_.slow.empty()) return time;
    return Seconds(time.seconds() * machine_.slow[static_cast<size_t>(gpu)]);
  }

  // Through the NIC of this GPU, which is at one of its ends.
  Duration OverNetwork(int32_t m, int gpu) const {
    const Bandwidth rate =
        machine_.networks.empty() ? machine_.network : machine_.networks[static_cast<size_t>(gpu)];
    return Bytes(row_.value() * At(m).tokens) / rate;
  }
  // A message is handed to the NIC of `from`: when it starts to arrive at the other end.
  Duration Depart(int32_t m, Duration now, int from, Ports& ports) const {
    Station& out = ports.network_out[static_cast<size_t>(from)];
    return out.Serve(now, OverNetwork(m, from)) + machine_.network_latency;
  }
  // It starts to arrive: its last byte is there when both ends are done with it.
  Duration Arrive(int32_t m, Duration now, int from, int to, Ports& ports) const {
    const Duration took = OverNetwork(m, to);
    const Duration in = ports.network_in[static_cast<size_t>(to)].Serve(now, took) + took;
    return std::max(in, now + OverNetwork(m, from));
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
