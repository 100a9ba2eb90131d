// How long a collective takes on a cluster: latency and bandwidth, step by step, over real routes.
//
//   step = greatest latency of its routes + greatest (bytes on a link / rate of the link)
//   time = sum over steps
//
// Steps follow each other with a barrier between them, as all GPUs of a ring keep pace anyway; what
// overlaps across steps is left to an engine that runs the transfers by their own dependencies. The
// rates are the topology's, times `network` for all links but NVLink.
//
// Bandwidths, of S bytes over n GPUs as nccl-tests counts them (doc/PERFORMANCE.md of nccl-tests):
//
//   algorithm  S / time
//   bus        algorithm x 2 (n - 1) / n for all-reduce, x (n - 1) / n for all-gather,
//              reduce-scatter and all-to-all, x 1 for p2p: the rate that links would need if each
//              GPU had one
//   wire       bytes out of the busiest NIC / time; NVLink the same of the busiest port
//
// Example: a ring all-gather of 8 GPUs on NVLink of 160 GB/s tends to a bus bandwidth of 160 GB/s.
#pragma once

#include <string>

#include "sim/collective/transfers.h"
#include "topology/cluster.h"

namespace pipescope::collective {

struct CollectiveTime {
  Duration time;
  Duration latency;  // its part
  int steps = 0;
  int64_t transfers = 0;
  Bytes moved;  // by all transfers
  Bandwidth algorithm, bus, wire, nvlink;
  std::string bound;  // what held most of the time: latency, or a link between two kinds of parts
};

// The GPUs are the cluster's first ones. `transfers` must be of `collective`.
CollectiveTime TimeOf(const topology::Cluster& cluster, const Collective& collective,
                      const Transfers& transfers, double network);

}  // namespace pipescope::collective
