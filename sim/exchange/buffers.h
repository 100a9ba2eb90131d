// Sizes of the ring buffers between DeepEP's warps, in tokens: how many go at once, how many may be
// under way. DeepEP tuned them by the number of GPUs (legacy buffers' default configurations).
#pragma once

#include "sim/base/result.h"

namespace pipescope::exchange {

enum class Direction { kDispatch, kCombine };

struct Buffers {
  int nvl_send = 0;   // tokens of one NVLink message
  int nvl_recv = 0;   // slots of one ring: a channel, a sender, a receiver
  int rdma_send = 0;  // tokens of one message between nodes
  int rdma_recv = 0;  // slots of one ring: a channel, a node, a receiver
};

// What DeepEP takes for that many GPUs, or for the next larger number in its table.
Buffers TunedBuffers(Direction direction, int gpus);

// Fails where a message is larger than half of its ring, as DeepEP does, or one between nodes
// larger than an NVLink ring, whose messages this model passes on whole.
Status CheckBuffers(const Buffers& buffers);

}  // namespace pipescope::exchange
