// The least span of small problems, by mixed-integer programming with Cbc.
//
// Times count from a rank's first start. Unknowns are the span T, the end of every action, and for
// every pair of a rank whose order is open whether the first is before the second:
//
//   I(l) before F(k),  W(l) before F(k),  W(l) before I(k)        for l < k
//
//   F(r, k) starts no sooner than F(r-1, k);  I(r, k) starts F(r) + 2 comm after I(r+1, k) ends
//   two actions of a rank do not overlap;     every prefix before an F fits in memory
//   an action ends no sooner than the work before it and its own, and T leaves room for the rest
//
// That each rank takes its micro-batches in turn loses nothing: they are alike, and sorting who is
// who on each rank keeps all starts. The solver is only asked for spans below that of a known
// order, by more than kExactGap; that there are none proves this order the least.
//
// Example: 3 ranks, 4 micro-batches, F = 10, I = 12, W = 8, comm = 1, where I and W each free half,
// limit 3: 156, which the heuristic finds already.
// Source: Qi et al., arXiv 2401.10241, appendix G; the rows on work are ours. Cbc:
// github.com/coin-or/Cbc.
#pragma once

#include "schedules/optimize/heuristic.h"

namespace pipescope::schedules {

inline constexpr int kMostBinaries = 450;
inline constexpr double kExactGap = 1e-6;  // relative

struct Exact {
  Optimized best;
  double lower_bound = 0;  // no order has a smaller span; the span itself where proven
  bool proven = false;
};

// 3 ranks m (m - 1) / 2.
int64_t Binaries(const Problem& problem);

// Fails above kMostBinaries. Never worse than `start`. An order that is not proven the least may
// depend on the machine's speed, since the solver then ran into the time limit.
Result<Exact> SolveExactly(const Problem& problem, Optimized start, double seconds);

}  // namespace pipescope::schedules
