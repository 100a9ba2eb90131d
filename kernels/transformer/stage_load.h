// What a rank has to hold under a schedule, and an order of its actions that holds as much without
// the others: what a calibration plays (calibrate.h).
//
//   held       of a stage: the most micro-batches between their F and their I or B
//   deferred   the most between their I and their W; 1 where W follows at once
//
// How cold an activation is in the cache counts, by stage: under interleaved 1F1B the last stage
// holds one micro-batch, whose B finds warm what its F just wrote, while the stage that the rank
// has besides holds several. Priced as if both held as many, the steps of such ranks came out 5 to
// 10 % too long for a model of hidden 64.
//
// Example: held 2, deferred 1, three micro-batches: F0 F1 B0 F2 B1 B2, and split
// F0 F1 I0 W0 F2 I1 W1 I2 W2.
#pragma once

#include <compare>
#include <vector>

#include "schedules/schedule.h"

namespace pipescope::transformer {

struct StageLoad {
  int stage = 0;
  int microbatches = 1;
  int held = 1;
  int deferred = 1;

  friend auto operator<=>(const StageLoad&, const StageLoad&) = default;
};
using RankLoad = std::vector<StageLoad>;  // by stage

// [rank]
std::vector<RankLoad> LoadsOf(const schedules::Schedule& schedule);

// `split`: with I and W instead of B. A stage that has one micro-batch gets two, so that something
// comes before each of its actions.
std::vector<schedules::Action> OrderOf(const RankLoad& load, bool split);

}  // namespace pipescope::transformer
