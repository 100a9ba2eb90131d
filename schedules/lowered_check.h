// Is a lowered order one that can run? What is checked, after everything check.h says of the
// compute actions alone:
//
//   messages   every result that another rank needs has its SEND, after it, and its RECV, before
//              it is used; nothing else is sent or received
//   shards     UNSHARD, RESHARD and REDUCE_GRAD stand where they may (lowered_shards.h)
//   streams    the messages between two ranks, in both directions, stand in the same order on both:
//              their stream runs in order
//   deadlock   the lists end when a SEND and its RECV wait for each other (lowered_run.h); where
//              they do not, the shortest circle of who waits for whom is shown
//
// Example: {0F0, 0SEND_F0, 0F1, 0SEND_F1, 0RECV_B0, ...} with {1RECV_F0, 1F0, 1B0, 1SEND_B0,
// 1RECV_F1, ...}: rank 0 sends micro-batch 1 before it receives the gradient, rank 1 the other way
// round.
//   2 ranks wait for each other, after 6 of 16 actions, where a SEND waits for its RECV
//     rank 0 stands before 0SEND_F1 (action 3), which needs 1RECV_F1 of rank 1 (action 4)
//     rank 1 stands before 1SEND_B0 (action 3), which needs 0RECV_B0 of rank 0 (action 4)
#pragma once

#include <optional>
#include <vector>

#include "schedules/finding.h"
#include "schedules/lowered.h"

namespace pipescope::schedules {

struct LoweredVerdict {
  std::vector<Finding> findings;  // at most kMostFindings; empty where the order is sound
  std::optional<int64_t> steps;   // unit steps (lowered_run.h), where the messages are sound and
                                  // the lists end if SENDs do not wait
};

LoweredVerdict CheckLowered(const LoweredSchedule& lowered);

}  // namespace pipescope::schedules
