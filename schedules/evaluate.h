// Fidelity `schedule`: when every action runs if each takes a fixed time.
//
//   start(a) = max(end(previous action of the rank), end(n) + comm for every need n of another
//   rank);  end(a) = start(a) + cost(a)
//
// The first action of a rank may start at 0. Needs on the same rank are met by the order. An
// overlapped pair is one action whose two results appear at its end. Then
//
//   makespan      = last end
//   span          = max over ranks (own last end - own first start)
//   busy(r)       = sum of the rank's costs
//   bubble(r)     = makespan - busy(r)
//   makespan rate = 1 - mean(busy) / makespan
//   span rate     = 1 - mean(busy) / span
//
// Peak activations of a rank, in chunks, depend on the order alone: +1 at F, -1 at B, or at W where
// the backward is split; a pair counts its F before its B.
//
// Example: 1f1b with p = 4 ranks, m = 8, F = 1, B = 2: makespan (m + p - 1)(F + B) = 33, busy 24,
// bubble 9 on every rank, peaks 4 3 2 1.
//
// What an order needs is worked out once (Prepare); Evaluate is then a single pass over flat
// arrays, over 50 million actions a second, for optimizers and sweeps that try many costs.
#pragma once

#include <utility>
#include <vector>

#include "schedules/costs.h"
#include "schedules/flow.h"
#include "schedules/schedule.h"
#include "sim/base/result.h"

namespace pipescope::schedules {

struct Prepared {
  int ranks = 0;
  int stages = 0;
  Flow flow;
  // Which entry of the table of durations an action takes: kind * stages + stage, then the pairs.
  std::vector<int32_t> duration;                   // [id]
  std::vector<std::pair<int32_t, int32_t>> pairs;  // stages of the pairs that occur
  std::vector<int> peak_activations;               // [rank], in chunks
};

struct Timing {
  // By id: position i of rank r is id flow.offset[r] + i.
  std::vector<double> start, end;
  double makespan = 0;
  double span = 0;
  std::vector<double> busy;    // [rank]
  std::vector<double> bubble;  // [rank]: makespan - busy
  double makespan_rate = 0;
  double span_rate = 0;

  std::vector<double> durations;  // scratch, kept so that evaluating again allocates nothing
};

// Fails with the first finding of Check where the order is illegal or deadlocks.
Result<Prepared> Prepare(const Schedule& schedule);

// The costs must pass CheckCosts for the schedule's stages.
void Evaluate(const Prepared& prepared, const Costs& costs, Timing& timing);
Timing Evaluate(const Prepared& prepared, const Costs& costs);

// Of the rank that waits longest: makespan - busy, and own last end - own first start - busy.
double LongestBubble(const Timing& timing);
double LongestSpanBubble(const Prepared& prepared, const Timing& timing);

}  // namespace pipescope::schedules
