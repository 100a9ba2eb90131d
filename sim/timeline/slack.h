// How much later an action may run without the step ending later, were all durations to stay.
//
//   slack(x) = min over what follows x of  start(next) - end(x) + slack(next)
//
// What follows: the rank's next action; the action that takes a message of x (its half of a pair
// may need it after the pair's start, which counts as 0 to spare); gradient, optimizer and
// parameter operations that start on the rank after x ends. Nothing follows what ends with the
// step. It is a lower bound: where the timeline does not say that two things are independent, the
// later counts as following. On the critical path it is 0.
//
// Example: rank 0 runs F0 from 0 to 1, rank 1 takes its message, ending at 1.5, into an action that
// starts at 2 and ends with the step: F0 has a slack of 0.5.
#pragma once

#include <vector>

#include "sim/timeline/timeline.h"

namespace pipescope::timeline {

std::vector<Duration> SlackByAction(const Timeline& timeline);

}  // namespace pipescope::timeline
