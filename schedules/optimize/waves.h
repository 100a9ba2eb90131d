// One order on a V by waves, as the zero-bubble paper's automatic ZB-V: all ranks move together.
//
//   fill      a forward down the V on every rank. Then, from the last rank up, each rank's first
//             forward up the V; before it, while it has not arrived, all ranks above take one more
//             forward down, if memory holds it and what they must take until the fill's end. Then,
//             from the first rank down, ranks from here on take forwards, down and up in turn,
//             until this one is level with the one before it
//   waves     a backward on every rank: down the V's second leg where the first leg's has not
//             arrived; and a forward on every rank whose input is there, up before down. A W
//             where memory needs one, and W's in the gaps until inputs arrive
//   end       the W's that remain
//
// A W that is longer than its gap moves bubble from here to later. It pays where the rank's
// bubbles, with this gap, would be the longest of any rank's so far: then no rank ends later for
// it. How long the longest will be is not known the first time; so the order is made again with
// each rank allowed what it fell short of the longest, for as long as that shortens it.
//
//   overrun_forward, overrun_up   whether a W may overrun the gap before a forward, or before an I
//                                 of the up leg, under this rule; before one of the down leg it may
//   share                         the fill is held to this share of the memory
//   fill_gap                      a forward down is left out of the fill where less than this share
//                                 of it would be over when the first forward up arrives
//
// Example: 1 rank, 1 micro-batch: F0 F1 I1 I0 W1 W0.
// Source: Qi et al., arXiv 2401.10241v2, section 6; the rules as in
// github.com/sail-sg/zero-bubble-pipeline-parallelism, share and gap are ours.
#pragma once

#include "schedules/optimize/placed_problem.h"

namespace pipescope::schedules {

struct WaveSwitches {
  bool overrun_forward = true;
  bool overrun_up = true;
  double share = 1;
  double fill_gap = 1;
};

std::string ToString(const WaveSwitches& switches);

// Placement kV. Steps are missing where the waves got stuck; whether they fit in memory is for the
// caller to see.
StepOrder OrderByWaves(const PlacedProblem& problem, const WaveSwitches& switches);

}  // namespace pipescope::schedules
