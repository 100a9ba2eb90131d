// How fast an exchange is, in the bandwidths that DeepEP prints and those on the wire. Bytes are
// those of a GPU, mean over all; times are medians.
//
//   rdma       (token, node) pairs, own node included, x bytes of a row / time  (DeepEP's "RDMA")
//   nvl        rows that a GPU receives, its own included, x bytes of a row / time  (DeepEP's
//   "NVL")
//   *_wire     the same without rows that stay on the node, or that a GPU passes to itself
//
// A row is hidden + 4 bytes for each 128 of hidden in FP8, 2 hidden in BF16; combine is in BF16.
// The notify is not in the kernels' times. Sources: DeepEP's tests/legacy/test_internode.py, and
// sim/exchange/exchange.h, which predicts the same figures. Where one GPU plays all ranks, all of
// it passes its memory: the figures then compare settings with each other, not with links.
//
// Example: 2 nodes x 1, all tokens to both ranks: each token makes 2 (token, node) pairs and each
// GPU receives 2 rows a token; half of the pairs pass the network, none of the rows NVLink.
#pragma once

#include "kernels/exchange/cases.h"
#include "kernels/exchange/exchange.h"
#include "sim/base/units.h"

namespace pipescope::kernels::exchange {

// Counts of one routing, over all ranks.
struct Volume {
  int64_t token_nodes = 0;      // (token, node) pairs
  int64_t token_far_nodes = 0;  // of these, with another node
  int64_t rows = 0;             // received
  int64_t near_rows = 0;        // of these, from another GPU of the node
};
Volume VolumeOf(const Config& config, const std::vector<DispatchInput>& inputs);

struct Rates {
  Duration time;
  Bandwidth rdma, nvl, rdma_wire, nvl_wire;
};

int64_t DispatchRowBytes(const Config& config);
Rates RatesOf(const Config& config, const Volume& volume, int64_t row_bytes, Duration time);

struct BenchResult {
  Duration notify;
  Rates dispatch, combine;
};

// Each part `runs` times, after once that does not count.
Result<BenchResult> BenchExchange(Exchange& exchange, const Config& config, Routing routing,
                                  int runs, uint64_t seed);

}  // namespace pipescope::kernels::exchange
