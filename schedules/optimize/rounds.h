// One order by the rounds of the zero-bubble paper's automatic schedule.
//
//   warm-up   a forward on every rank. Then, from the last rank up, further forwards while they
//             fit in memory and the rank's first I has not arrived; each rank takes fewer than the
//             one before it. Then an I on every rank, from the last up
//   round     every rank at most one forward, never leaving the next one without; a W where memory
//             needs one; W's in the gaps until inputs arrive. Then an I on every rank, again with
//             W's in the gaps; rank 0 flushes its W's once no forward is left
//   end       the W's that remain
//
// The switches trade one bubble for another, and which is better no rule tells; all
// combinations are tried (heuristic.h).
//
//   warm_up_gap             a forward of the warm-up is left out where less than this share of it
//                           would be over when the first I arrives: 1 never delays it, 0 leaves no
//                           gap (the paper's two cases), and what is between weighs the two
//   prefer_input_grad       in a round, a forward that would delay I is left out where the gap that
//                           stays makes the rank's bubbles no longer than the longest so far,
//                           and the rank stays ahead of the next one
//   overrun                 where a W may overrun its gap: anywhere, nowhere, or (the paper's other
//                           case) only where the rank's bubbles, with this gap, would be the
//                           longest so far
//
// The paper's warm-up takes all the memory there is. A smaller one may be better, since it leaves
// room to hold back W's for later gaps: most_in_warm_up.
//
// Example: 2 ranks, 3 micro-batches, costs 1, limit 2: F F I W F I W I W | F I F I W F I W W.
// Source: Qi et al., "Zero Bubble Pipeline Parallelism", arXiv 2401.10241, section 3.1.
#pragma once

#include "schedules/optimize/problem.h"

namespace pipescope::schedules {

enum class Overrun { kBehind, kAnywhere, kNowhere };

struct RoundSwitches {
  double warm_up_gap = 0;
  bool prefer_input_grad = false;
  Overrun overrun = Overrun::kBehind;
  int most_in_warm_up = 0;  // forwards of a rank before its first I; 0: as many as memory holds
};

// The problem must pass CheckProblem. The order is legal and within memory.
KindOrder OrderByRounds(const Problem& problem, RoundSwitches switches);

}  // namespace pipescope::schedules
