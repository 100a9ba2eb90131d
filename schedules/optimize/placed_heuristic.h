// A good order fast, for any placement: the best of a fixed list of candidates.
//
//   serial       one micro-batch after the other: always within memory
//   known        the orders handed in (a hand-made family's, say), where they fit
//   linear       also those of heuristic.h; where I needs memory of its own they are made for
//                conservative deltas: F adds max(u, w) of u until the backward and w until W, under
//                a limit smaller by min(u, w), which no moment then exceeds
//   waves        on a V: waves.h, over its switches
//   greedy       greedy.h, over its switches
//
// The least value of the goal wins, of equal ones the earliest. So no result is worse than a known
// order that fits.
//
// Example: V, 4 ranks, 8 micro-batches, F = I = W = 1, limit 8: span 48, the least possible.
#pragma once

#include <utility>

#include "schedules/optimize/heuristic.h"
#include "schedules/optimize/placed_problem.h"

namespace pipescope::schedules {

// The problem comes from MakePlaced. The order is legal and within memory.
Placed PlacedHeuristic(const PlacedProblem& problem, const std::vector<Schedule>& known);

// The same problem for heuristic.h and exact.h, where it is one of theirs: linear, without B's of
// their own cost, I giving memory back.
std::optional<Problem> LinearOf(const PlacedProblem& problem);

// Each B as its I and W, which may shorten the order.
Optimized LinearOf(const Problem& problem, const Placed& placed);
StepOrder StepsOf(const KindOrder& order);

}  // namespace pipescope::schedules
