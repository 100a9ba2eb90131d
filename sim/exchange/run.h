// Dispatch and combine as events: messages of tokens that pass DeepEP's warps, rings and links.
//
// Dispatch, for each channel of a GPU:
//
//   send warps      copy the channel's rows in order into messages for the nodes; a full ring of
//                   any node stops them
//   post            the coordinator hands messages to the NIC, one at a time
//   network         out of one NIC, into the other, latency between
//   forward warps   one for each GPU of the node: copy the message's rows for that GPU, into a ring
//   NVLink          out of one port, into the other
//   receive warps   one for each GPU of the node: copy rows to their places, return the ring's
//   slots
//
// Combine runs the other way: a send warp for each GPU of the node; forward warps, divided over the
// nodes, that add up a token's rows of their node and write a message; receive warps that add up
// the nodes' rows of a token. Within one node the stages between nodes fall away.
//
// Messages are passed on whole; rows within one are not told apart. Warps of one role that do the
// same work are one station: n rows keep it busy for n / warps times the time of one.
//
// Example: one node, one channel, no limit on links: every send warp group copies its 1/8 of the
// rows alone, so the time is about rows / 8 / warps x time of a row.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/exchange/buffers.h"
#include "sim/exchange/machine.h"
#include "sim/exchange/traffic.h"

namespace pipescope::exchange {

// What was busy for how long, as a share of the whole time, and the fullest ring of each kind.
struct Outcome {
  Duration time;       // until the last row is in its place
  int64_t rows = 0;    // that reached their destination GPU (dispatch) or were added up (combine)
  int64_t tokens = 0;  // combine: that are complete
  double network = 0;  // the busiest NIC direction
  double nvlink = 0;   // the busiest port direction
  double send = 0;     // mean over warp groups
  double post = 0;     // mean over channels
  double forward = 0;
  double receive = 0;
  int nvl_peak = 0;  // tokens
  int rdma_peak = 0;
  int64_t events = 0;
};

Outcome RunDispatch(const Traffic& traffic, const Machine& machine, const Buffers& buffers,
                    Bytes row);
Outcome RunCombine(const Traffic& traffic, const Machine& machine, const Buffers& buffers,
                   Bytes row);

}  // namespace pipescope::exchange
