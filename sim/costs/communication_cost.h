// Time and bytes of messages: expert dispatch and combine, pipeline messages, ZeRO collectives.
//
// Dispatch in two hops (arXiv 2412.19437, section 3.2.2): a token's row goes once by IB to the GPU
// of the same index on each remote node that it needs, and from there over NVLink to each GPU that
// holds one of its experts. Per GPU, with T tokens and the spread of routing.h:
//   IB rows      T token_nodes (nodes - 1) / nodes
//   NVLink rows  T token_gpus (gpus_per_node - 1) / gpus_per_node
//   copied rows  IB rows (into the send buffer) + 2 T token_gpus (forwarded, then received)
// A row has d (1 + 4/128) bytes in FP8 with its scales, 2 d in BF16. Combine runs the same way back
// in BF16. The time is that of the slowest of NIC, NVLink and the SMs' copies, after a notify.
//
// DeepSeek-V3, EP64: 96 MB by IB a dispatch, 2.4 ms at 40 GB/s; a combine 187 MB, 4.7 ms.
#pragma once

#include "sim/base/units.h"
#include "sim/costs/demand.h"
#include "sim/costs/efficiencies.h"
#include "sim/costs/routing.h"
#include "topology/cluster.h"

namespace pipescope::costs {

struct Links {
  Bandwidth network;  // per GPU and direction, what a transfer reaches
  Bandwidth nvlink;
  Bandwidth memory;
  Duration network_latency;
  Duration nvlink_latency;
};

// What one GPU reaches: its share of the node's NICs, and the fabric's oversubscription.
Links LinksOf(const topology::Cluster& cluster, const Efficiencies& efficiencies);

// One dispatch or combine of `tokens` rows of `row_bytes` on `sms` SMs; without the notify.
Demand AllToAll(const Spread& spread, int64_t tokens, double row_bytes, int sms, const Links& links,
                const Efficiencies& efficiencies);

// One message between two GPUs of different nodes, or of one node.
Demand PointToPoint(Bytes size, bool same_node, const Links& links);

// Reduce-scatter or all-gather of `size` bytes (before or after) over `group` GPUs that lie
// `per_node` to a node: rings, each byte of which crosses NVLink inside a node and one NIC between
// nodes. Wire bytes per GPU: size (group - 1) / group over NVLink, the per_node-th part by NIC.
Demand ShardedCollective(Bytes size, int group, int per_node, const Links& links);

// An all-to-all of `size` bytes a GPU, each part straight to its GPU: size / group to each other
// one, over NVLink inside a node, by NIC between nodes.
//
// Example: 16 GPUs on 2 nodes of 8, 16 MB each: 7 MB over NVLink and 8 MB by NIC.
Demand Exchange(Bytes size, int group, int per_node, const Links& links);

}  // namespace pipescope::costs
