// DeepEP's low-latency kernels: every selection of an expert is a message of its own, straight to
// the expert's GPU, by its NIC, or over NVLink where both are in one node.
//
//   dispatch  a token's SM casts it and has a warp for each of its experts write the row; rows wait
//             for the sender's port, then for the receiver's; a flag follows the last one, and a
//             warp copies it to its place
//   combine   the same way back, from the expert's GPU to the token's, in BF16; the last row of a
//             token is summed with the others
//   time      of the slowest GPU, since the next call waits for it
//
// No row is sent once for several experts, and nothing is forwarded. A dispatch's row is hidden + 4
// bytes for each 128 of it + 16 of header in FP8, a combine's 2 hidden. Bandwidth as DeepEP counts
// it (tests/legacy/test_low_latency.py): selections of a GPU x row / time, its own included.
//
// The kernels take ceil(experts / ceil(experts / SMs)) SMs. What random top-k does to single GPUs
// is drawn, not assumed: with 64 GPUs the fullest receives 8 % more than the mean, which is what
// the published 43 GB/s are below the NIC's 47.
//
// Example, DeepSeek-V3 on 64 H800, 128 tokens: 1024 messages of 7408 bytes a GPU, 7/8 of them by
// NIC: 6.6 MB at 47 GB/s are 141 us; with the fullest GPU, the warps and the flags some 170 us.
#pragma once

#include <vector>

#include "sim/exchange/exchange.h"
#include "sim/exchange/machine.h"

namespace pipescope::exchange {

bool IsLowLatency(Generation generation);

// The case must have passed CheckCase; `sms` are the GPU's.
ExchangeResult RunLowLatency(const Machine& machine, const ExchangeCase& c, int sms);

}  // namespace pipescope::exchange
