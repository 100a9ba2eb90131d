// Where a measured run parts from its prediction: which action, on which rank, and why.
//
// Both have the same actions in the same order on every rank. Of each action, measured less
// predicted:
//
//   longer   of its length: its steps took longer than calibrated
//   waited   of the time from the action before to it: it waited longer for whoever let it start
//
// On a rank they add up to how much later its last action ends:
//
//   sum of longer + sum of waited = measured end - predicted end
//
// Example: predicted 0F0 0-2 ms, 0B0 6-10; measured 0F0 0-3, 0B0 8-12: 0F0 took 1 ms longer, 0B0
// waited 1 ms longer, the rank ends 2 ms later.
#pragma once

#include <string>
#include <vector>

#include "sim/timeline/timeline.h"

namespace pipescope::reports {

struct Parting {
  int rank = 0;
  std::string action;  // "1F3"
  Duration late;       // negative: earlier
  std::string why;     // "took longer than calibrated, most of all mlp I"
};

struct Partings {
  int last_rank = 0;             // the one whose last action ended last, measured
  Duration longer, waited;       // its sums
  Duration after;                // what the step's end adds
  std::vector<Parting> largest;  // of all ranks, by magnitude, at most `count`
};

// Of timelines with the same actions.
Partings FindPartings(const timeline::Timeline& predicted, const timeline::Timeline& measured,
                      size_t count);

}  // namespace pipescope::reports
