// One order by a rule: ranks act in the order of time, each taking the most urgent of what it can
// start next.
//
//   urgent    backwards before forwards, or forwards first, or whichever kind the rank did not run
//             last; of two slots the one named first, or the one whose input came first
//   look      what arrives within `look` times F of the earliest start counts as startable
//   W         runs in the gap before the next action where it overruns the gap by at most `overrun`
//             of its length, or where memory is short, and at the end
//   memory    a forward leaves room for what must follow: an I's working memory, and the other
//             slot's forward where that slot has no micro-batch under way
//   share     forwards are held to this share of the limit: held-back W's may use the rest
//   pairs     F and B of the two slots, both startable within `pair_look` times F, become a pair
//   split     what backwards outside pairs are: always I and W, B while forwards are left, or B
//
// Example: V, 1 rank, 1 micro-batch, backwards first: F0 F1 I1 I0 W1 W0.
#pragma once

#include "schedules/optimize/placed_problem.h"

namespace pipescope::schedules {

enum class Urgent : uint8_t { kBackward, kForward, kAlternate };
enum class Split : uint8_t { kAlways, kAfterForwards, kNever };

struct GreedyRule {
  Urgent urgent = Urgent::kBackward;
  int first_slot = 1;  // of equal kinds; 2: what came first
  double look = 0;
  double overrun = 0;
  double share = 1;
  Split split = Split::kAlways;
  double pair_look = 0;
};

std::string ToString(const GreedyRule& rule);

// Within memory where every rank's steps are there; steps are missing where the rule got stuck.
StepOrder GreedyOrder(const PlacedProblem& problem, const GreedyRule& rule);

}  // namespace pipescope::schedules
