// A local search that may shorten a given order.
//
// Moves, on one rank each: swap two neighbours; move a W to another place. A move that breaks the
// rank's own order (I before its F, W before its I) or its memory limit is not timed. Half the
// moves go to the rank with the longest span, the others to any rank.
//
// Acceptance is late acceptance (Burke and Bykov): a move is kept where it is no worse than the
// order of kHistory moves ago, or no worse than the present one; the best order seen is the result.
// What is compared is the span, plus a little of the ranks' mean span, so that a move which
// shortens a rank that is not the longest counts for something. The search ends when `orders` were
// timed, at the lower bound, or after ten times as many moves. Everything is fixed by the problem
// and the start: same input, same order.
//
// Example: rank 0 of {F F I W I W} may become {F F I I W W}; its first F cannot move.
#pragma once

#include "schedules/optimize/heuristic.h"

namespace pipescope::schedules {

inline constexpr int64_t kSearchedOrders = 100'000;
inline constexpr int64_t kSearchedActions = 300'000'000;  // orders times actions: some seconds

// How many orders the search times by default: fewer of long ones.
int64_t SearchBudget(const Problem& problem);

// Never worse than `start`, which must be legal and within memory. Adds to start.orders.
Optimized Search(const Problem& problem, Optimized start, int64_t orders);

}  // namespace pipescope::schedules
