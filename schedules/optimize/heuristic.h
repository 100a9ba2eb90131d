// A good order fast: the best of a fixed list of candidates.
//
//   the paper's grid  OrderByRounds with its switches, twelve orders, the paper's eight among them
//   gaps between      the same with warm_up_gap between the paper's 0 and 1
//   smaller warm-ups  the same twelve with the warm-up held to fewer forwards: every number from 1
//                     to what memory holds, at most kWarmUps of them
//   hand-made         1f1b's warm-up, and twice that, each I followed by a W once r (2 r) are held
//                     back: ZB-H1 and ZB-H2, left out where they do not fit
//
// Of very long orders only the first are tried, the paper's always. The least span wins, of equal
// ones the earliest. So the result is never worse than the paper's grid, nor than ZB-H1 where that
// fits.
//
// Example: 4 ranks, 8 micro-batches, F = I = W = 1, comm = 0, where I and W each free half: limit 4
// gives span 27, limit 6 gives 25, limit 8 gives 24, the least possible.
// Source: Qi et al., "Zero Bubble Pipeline Parallelism", arXiv 2401.10241.
#pragma once

#include <limits>
#include <string>

#include "schedules/optimize/problem.h"

namespace pipescope::schedules {

inline constexpr int kWarmUps = 16;

struct Optimized {
  KindOrder order;
  double span = std::numeric_limits<double>::infinity();
  std::string from;    // how the order came about
  int64_t orders = 0;  // how many were timed
};

// The problem must pass CheckProblem. The order is legal and within memory.
Optimized Heuristic(const Problem& problem);

}  // namespace pipescope::schedules
