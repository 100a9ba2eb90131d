// Why an order hangs: the shortest circle of ranks that wait for each other.
//
// Ranks run their lists in order. When none can go on, every rank that is not finished stands
// before an action whose input is to come from a later action of another rank that stands as well.
// Following "waits for" from rank to rank must come round; of all such circles the shortest is
// shown, since it holds the fewest orders one of which must change. Actions count from 0.
//
// Example:
//   2 ranks wait for each other, after 2 of 8 actions
//     rank 0 stands before 0B0 (action 1), which needs 1B0 of rank 1 (action 2)
//     rank 1 stands before 1F1 (action 1), which needs 0F1 of rank 0 (action 2)
//   to break the circle, one of these ranks must run the needed action before the one it stands
//   before
#pragma once

#include <string>

#include "schedules/flow.h"
#include "schedules/schedule.h"

namespace pipescope::schedules {

// The schedule must be legal and not complete. Actions are counted from 0.
std::string ExplainDeadlock(const Schedule& schedule, const Flow& flow);

}  // namespace pipescope::schedules
