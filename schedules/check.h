// Is an order one that can run? What is checked:
//
//   complete   every stage and micro-batch has one forward and one backward: B, or I and its W
//   order      on its rank an action comes after what it needs: F before I or B, I before W
//   placement  F, I, W and B of one stage and micro-batch are on one rank. A stage may have copies
//              on several ranks (DualPipe, Chimera) if the micro-batches are split between them
//              consistently: two micro-batches take the same rank at every stage or at none
//   deadlock   the ranks, each running its list in order, all reach its end; where they do not,
//              the shortest circle of who waits for whom is shown
//
// PyTorch's own validation looks at one rank at a time, so that orders that hang pass it.
//
// Example: rank 0 {0F0, 0B0, 0F1, 0B1} with rank 1 {1F0, 1F1, 1B0, 1B1} hangs: rank 0 stands before
// 0B0, which needs 1B0, which rank 1 will only run after 1F1, which needs 0F1 of rank 0.
#pragma once

#include <vector>

#include "schedules/finding.h"
#include "schedules/schedule.h"

namespace pipescope::schedules {

// Everything that is wrong, at most kMostFindings of it, in a fixed order; empty where the order is
// sound. Later checks need what earlier ones establish (deadlock is only looked for in a complete
// and well-placed order), so mending one finding may bring up another.
std::vector<Finding> Check(const Schedule& schedule);

// Of each rank the first action with which it holds more than `limit` activations of one chunk,
// counted from F to B, or to W where the backward is split; a pair's F counts before its B.
std::vector<Finding> CheckMemory(const Schedule& schedule, int64_t limit);

}  // namespace pipescope::schedules
