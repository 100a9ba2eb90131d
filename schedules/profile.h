// What an automatic schedule is made for: measured or predicted costs, and memory.
//
// Memory of a rank, in any one unit. A micro-batch on a stage
//   F   adds `forward`
//   I   adds `input_grad`, after holding `during_input_grad` on top of all else while it runs
//   W   adds `weight_grad`
//   B   gives back `forward`
// The first three sum to 0. In the zero-bubble papers I and W each give back about half. Where much
// is recomputed, I gives back less than W will need and `input_grad` is above 0: DeepSeek-V3 keeps
// 0.64 GB of a micro-batch until its backward, and 1.2 GB from its I until its W.
//
// Example: a limit of 4 with the deltas below lets a rank hold four activations.
#pragma once

#include <string>
#include <vector>

#include "schedules/costs.h"

namespace pipescope::schedules {

struct MemoryDeltas {
  double forward = 1;
  double input_grad = -0.5;
  double weight_grad = -0.5;
  double during_input_grad = 0;
};

// What is to be short: the time from 0 to the last end, or, as in the zero-bubble papers, the
// longest over ranks of own first start to own last end.
enum class Goal : uint8_t { kSpan, kMakespan };

struct Profile {
  Costs costs;
  std::vector<MemoryDeltas> memory = {{}};  // one for all stages, or one a stage
  std::vector<double> limit = {};           // [rank], or one for all; none: the family's own
  Goal goal = Goal::kSpan;
};

// Fails where sizes or numbers make no sense.
Status CheckProfile(const Profile& profile, int ranks, int stages);

}  // namespace pipescope::schedules
