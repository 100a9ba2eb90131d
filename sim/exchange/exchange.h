// One dispatch or combine on a cluster: routing drawn, traffic laid out, events run, and the
// bandwidths that people quote.
//
//   algorithm (RDMA)  (token, node) pairs, own node included, x bytes of a row / time: what DeepEP
//                     prints as "RDMA" bandwidth (tests/legacy/test_internode.py)
//   algorithm (NVL)   rows that a GPU receives, its own included, x bytes of a row / time: DeepEP's
//                     "NVL" bandwidth
//   on the wire       the same without what stays on the node, or on the GPU: what the NIC or the
//                     NVLink port carries
//
// A row is hidden + 4 bytes for each 128 of hidden in FP8, 2 hidden in BF16; combine is in BF16.
// The time is the kernel's, without the notify before it. Within a node DeepEP's benchmark times
// both (test_intranode.py), so there bandwidths count the cached notify in.
//
// The notify: ranks meet, exchange counts and meet again; each of the three takes a latency of the
// network and one of NVLink (a cached notify has one exchange less). What a trace shows is longer:
// it waits for the slowest rank. With starts that vary with standard deviation s among n ranks the
// mean wait is s x the expected greatest of n standard normal values (2.34 s for 64 ranks).
//
// Example: DeepSeek-V3's dispatch with EP64 on H800, 4096 tokens, 24 SMs: see tests/sim/exchange.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/exchange/run.h"

namespace pipescope::exchange {

struct ExchangeCase {
  Direction direction = Direction::kDispatch;
  int gpus = 64;
  int64_t tokens = 4096;  // of each GPU
  int hidden = 7168;
  bool fp8 = true;  // dispatch only
  Gating gating;
  Generation generation = Generation::kV1;
  std::optional<Buffers> buffers;                 // else the tuned ones
  Duration jitter;                                // standard deviation of the ranks' starts
  std::vector<std::pair<int, double>> slow_gpus;  // GPU, how many times as long its warps take
};

struct ExchangeResult {
  int sms = 0;
  int channels = 0;
  Duration time;    // of the kernel
  Duration notify;  // what it takes when all ranks start together
  Duration wait;    // for the slowest rank, mean
  Bytes row;
  double token_nodes = 0;  // mean of distinct nodes and GPUs a token is on
  double token_gpus = 0;
  double load = 1;                // rows received by the fullest GPU over the mean
  Bandwidth rdma, nvl;            // algorithm
  Bandwidth rdma_wire, nvl_wire;  // mean over GPUs
  Bytes memory;                   // HBM traffic of a GPU, without what L2 saves
  std::string bound;              // the busiest resource
  double memory_share = 0;        // of HBM's bandwidth
  Outcome outcome;
  Buffers buffers;
};

Bytes RowBytes(int hidden, bool fp8);

// Fails where the case does not fit the cluster or DeepEP's limits: at most 8 GPUs a node and 20
// nodes, an even number of SMs, 128 divides the hidden size.
Status CheckCase(const topology::Cluster& cluster, const ExchangeCase& c,
                 const std::vector<int>& sms);

// One result for each number of SMs, all of the same draw. The case must have passed CheckCase.
std::vector<ExchangeResult> RunExchange(const Machine& machine, const ExchangeCase& c,
                                        const std::vector<int>& sms);
std::vector<ExchangeResult> RunExchange(const topology::Cluster& cluster, const ExchangeCase& c,
                                        const std::vector<int>& sms);

}  // namespace pipescope::exchange
