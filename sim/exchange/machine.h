// What the exchange model takes for given about hardware and kernels, each with its source.
//
// Warps copy rows. A warp keeps few bytes in flight, so that its speed is latency, not bandwidth:
//
//   time to copy a row           = row + bytes / warp
//   time to add up m rows to one = row + bytes / (reduce m), as its loads of the m rows are in
//                                  flight together, 512 bytes of each
//
// Example: a row of 7392 bytes (FP8, hidden 7168) takes a warp 4.41 us, so the 8 forwarding warps
// of a channel move 13.4 GB/s at most.
//
// Rates on the wire. DeepEP counts rows that a GPU sends to itself, its bandwidths are higher than
// what passes a link: with 8 GPUs a node 8/7 of it over NVLink.
#pragma once

#include <string>
#include <vector>

#include "sim/base/units.h"
#include "topology/cluster.h"

namespace pipescope::exchange {

// Of a NIC's nominal rate, on the wire: NVSHMEM's own put benchmark between two H100 with
// ConnectX-7 400G shows 47 of 50 GB/s (DeepEP issue 155). A zero-copy version of the kernels on H20
// reaches 63.24 GB/s in DeepEP's counting on 4 nodes (pull request 453), 3/4 of it on the wire.
inline constexpr double kNetworkShare = 0.94;

struct Kernels {
  Duration row;      // of each row a warp handles: flags, indices, scales
  Bandwidth warp;    // of one warp that copies
  Bandwidth reduce;  // of one warp that adds up, for each row it reads
  Duration post;     // a channel's hand-over of one message to the NIC
  // Warps by role. Between nodes a channel's first SM sends and receives, its second forwards;
  // within a node its first SM sends and its second receives.
  int send = 7;
  int forward = 8;  // one for each GPU of a node
  int receive = 8;
  int reduce_forward = 24;  // divided over the nodes
  int reduce_receive = 16;
  int local = 24;  // within a node: of each SM, divided over the peers
};

struct Machine {
  Bandwidth network;                // a GPU's share of the node's NICs, on the wire
  std::vector<Bandwidth> networks;  // by GPU, where slow NICs tell them apart; else empty
  // By GPU, where some NIC is dead: the GPU of the node whose NIC carries its messages, handed on
  // over NVLink (PXN), its own where that lives; else empty.
  std::vector<int> lenders;
  std::vector<double> slow;  // by GPU, where some are slow: how many times as long its warps take
  Bandwidth nvlink;          // a GPU's port in one direction, on the wire
  Bandwidth memory;
  Duration network_latency;
  Duration nvlink_latency;
  Duration kernel_gap;
  int gpus_per_node = 1;
  Kernels kernels;

  // Whether all GPUs are alike, so that one may stand for all.
  bool uniform() const { return networks.empty() && lenders.empty() && slow.empty(); }
};

// kV1: DeepEP's kernels up to mid 2025, which the published rows of its legacy table were made
// with: warps load and store, two SMs are a channel. Its first release (2025-02) went through the
// host's proxy and was slower between nodes; that is not modelled. kV2: the second version (2026).
// Any of its SMs plays any role and its warps post their own messages; here it has V1's channels,
// SMs that write at the rate it plans with, no cost of a post. Within a node its `local` warps
// write more than that rate an SM: held to it, 24 SMs of an SM100 would dispatch 536 GB/s, where
// 643 are published and 703 predicted.
// kLowLatency: V1's kernels for few tokens (low_latency.h), over NVLink within a node since June
// 2025; kLowLatencyNic: all by NIC, as in its first release.
enum class Generation { kV1, kV2, kLowLatency, kLowLatencyNic };

// `nodes` of the cluster take part. Their slow and dead NICs are the machine's; each has a live
// one.
Machine MachineOf(const topology::Cluster& cluster, int nodes, Generation generation);

struct Constant {
  std::string name;
  std::string value;
  std::string source;
};

std::vector<Constant> Describe(const Machine& machine, Generation generation);

}  // namespace pipescope::exchange
