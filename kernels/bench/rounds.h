// Shapes of one operation timed in rounds, so that the machine was in one state for all of them.
//
// A machine that others share may run at one speed for some seconds and at another for the next,
// and two times that were taken in different states say nothing of each other. So each round times
// every shape, a few runs each: a round is short beside such a state, and a state that comes and
// goes comes to all shapes alike. Between rounds the machine's pace is taken, the time of a fixed
// piece of work that has nothing to do with the kernels.
//
//   a round counts   if neither the pace before it nor the one after it is more than 10 % above the
//                    best of the session; in any case half of the rounds do, those of best paces
//   enough rounds    12 that count by their paces, or 30 of any kind
//   a shape's time   the median over the rounds that count of each one's median run
//
// Which rounds count is told from paces alone and is the same for all shapes: were it told from the
// kernels' own times, one would choose what one wants to see.
//
// Example: paces of 1.0, 1.0, 1.6, 1.6, 1.1, 1.0 and 1.0 ms lie around six rounds. The first, the
// fifth and the sixth count, whatever the kernels took in them.
#pragma once

#include <functional>
#include <vector>

#include "kernels/bench/op.h"

namespace pipescope::kernels::bench {

// Seconds that the fixed piece of work takes now.
using Pace = std::function<double()>;

struct RoundsPlan {
  int least = 12;                                                  // rounds that count
  int most = 30;                                                   // rounds
  Runs runs = {.least = 3, .most = 5, .enough = Milliseconds(5)};  // of a shape in a round
  // Shapes that move more than this together are not held ready: the others are made ready anew for
  // each round, which takes time, where all at once would take a GPU's memory several times over.
  Bytes held = Bytes(int64_t{1} << 30);
};
// Of a device. A GPU that is ours alone has no such states: one round.
RoundsPlan PlanOf(Device device);

// Whether each round counts, with paces[i] before round i and paces[i + 1] after it.
std::vector<bool> CountedRounds(const std::vector<double>& paces, double best);

class Rounds {
 public:
  Rounds(Pace pace, const RoundsPlan& plan) : pace_(std::move(pace)), plan_(plan) {}

  // Each shape's times in the rounds that count, or why there are none; beside the baseline where
  // that is part of the answer (Op::baseline_serves).
  std::vector<Result<Timed>> Time(const Op& op, const std::vector<Shape>& shapes, int sms);

 private:
  double TakePace();

  Pace pace_;
  RoundsPlan plan_;
  double best_ = 0;  // pace of the session; 0 before the first
};

}  // namespace pipescope::kernels::bench
