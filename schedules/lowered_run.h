// Running lowered lists under two assumptions about SENDs, without costs.
//
// Unit steps. In a step every rank may do one action: any but a RECV whose SEND is not done yet,
// SENDs wait for nothing. The ranks are asked from 0 to p-1, and those that had to pass once more.
// An action sees what was done before it, in the same step too. The result is the number of steps,
// as PyTorch's simulation of communication and compute counts them.
//
// Blocking. A SEND and its RECV are done together, when both ranks have come to them, and until
// then neither rank goes on: the semantics of NCCL's point-to-point kernels, which run in order and
// wait for their peer. Lists that end so end under every weaker assumption, too.
//
// Example: {0F0, 0SEND_F0, 0RECV_B0, 0B0} and {1RECV_F0, 1F0, 1B0, 1SEND_B0} take 6 steps:
//   0F0 | 0SEND_F0 1RECV_F0 | 1F0 | 1B0 | 1SEND_B0 0RECV_B0 | 0B0
#pragma once

#include <optional>
#include <vector>

#include "schedules/lowered_flow.h"

namespace pipescope::schedules {

// Nothing where the lists hang even so. The flow must be legal.
std::optional<int64_t> UnitSteps(const LoweredSchedule& lowered, const LoweredFlow& flow);

// The id each rank comes to and cannot do; offset[rank + 1] where it ran to its end.
std::vector<int32_t> RunBlocking(const LoweredFlow& flow);

}  // namespace pipescope::schedules
