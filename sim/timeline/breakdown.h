// Where a step's time went, rank by rank, and how much communication stayed visible.
//
// Every instant of a rank's step has one of seven names, so they add up to the step:
//   forward, backward_input, backward_weight  the compute lane works in an F, I, W or B action
//   overlapped                                it works in an overlapped pair
//   exposed_communication                     it waits, inside an action or at the step's end,
//                                             for communication of its own rank
//   bubble                                    no action runs, up to the pipeline's end
//   optimizer                                 the optimizer works; what of it a rank fits into its
//                                             wait for the pipeline's end is free, and bubble
#pragma once

#include <array>
#include <vector>

#include "sim/base/units.h"
#include "sim/timeline/bubbles.h"
#include "sim/timeline/timeline.h"

namespace pipescope::timeline {

struct Breakdown {
  Duration forward;
  Duration backward_input;
  Duration backward_weight;
  Duration overlapped;
  Duration exposed_communication;
  Duration bubble;
  Duration optimizer;

  Duration total() const {
    return forward + backward_input + backward_weight + overlapped + exposed_communication +
           bubble + optimizer;
  }
};

std::vector<Breakdown> BreakdownByRank(const Timeline& timeline);

// The longest over ranks of the time from its first action to the end of its last, and what the
// rank then does at the step's end, one after the other: what a step takes where no rank waits for
// others before it goes on to the next one, as behind an optimizer that is validated afterwards
// (arXiv 2401.10241, section 4).
Duration LongestSpan(const Timeline& timeline);

// Time in actions by kind, communication included: what a profiler's annotations would show.
// Together with the bubble and the step's end they add up to the step.
struct ActionTimes {
  Duration forward, backward_input, backward_weight, backward, overlapped;
};
std::vector<ActionTimes> ActionTimesByRank(const Timeline& timeline);
ActionTimes Mean(const std::vector<ActionTimes>& ranks);

// Communication against computation. A dispatch or combine is hidden while its own rank computes. A
// message is hidden unless a rank waits for it: while it is under way to a rank that runs no
// action, was released by it, and would not have waited for a slower rank anyway (bubbles.h).
// `steady` covers a rank's overlapped pairs, or where it has none the time from its first backward
// to its last forward work; where that is empty too (GPipe), all of the pipeline's time.
struct Overlap {
  Duration compute_busy;          // of the compute lane, sum over ranks
  Duration communication_busy;    // of dispatch and combine, notify included
  Duration communication_hidden;  // of it beside computation of the same rank
  Duration message_time;          // of pipeline messages on their way
  Duration message_hidden;        // of it, what no rank waited for
  double hidden_share() const;    // of communication and messages together; 1 where there is none
  double compute_to_communication() const;  // 0 where there is none
};
struct OverlapSummary {
  Overlap steady;
  Overlap whole;
};
OverlapSummary MeasureOverlap(const Timeline& timeline, const Bubbles& bubbles);

}  // namespace pipescope::timeline
