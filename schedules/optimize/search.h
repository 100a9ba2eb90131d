// A local search that may shorten an order of steps.
//
// Moves, on one rank each:
//
//   shift    a step to another place, nearby
//   split    B into I and, some places later, W;  join   I and a later W of its slot into B
//   part     a pair into its F and B, in either order;  pair   F and a B of the other slot nearby
//
// A move that breaks the rank's own order or its memory limit is not timed. Half the moves go to
// the rank that ends the goal's value, the others to any rank. Acceptance is late acceptance (Burke
// and Bykov): no worse than the order of kHistory moves ago, or than the present one; what is
// compared is the goal's value and a little of the ranks' mean. The same input gives the same
// order.
//
// Example: F0 F1 B1 B0 may become F0 F1 B1 I0 W0, and (F0 of the next)&B1 where pairs are allowed.
#pragma once

#include "schedules/optimize/placed_problem.h"

namespace pipescope::schedules {

inline constexpr int64_t kSearchedOrders = 300'000;
inline constexpr int64_t kSearchedActions = 1'500'000'000;  // orders times actions: some seconds

// How many orders the search times by default: fewer of long ones.
int64_t SearchBudget(const PlacedProblem& problem);

// Never worse than `start`, which must be legal and within memory. Ends at `bound`, below which no
// order can be. Adds to start.orders.
Placed Search(const PlacedProblem& problem, Placed start, double bound, int64_t orders);

}  // namespace pipescope::schedules
