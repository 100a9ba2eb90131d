// An order for few micro-batches, made one for many.
//
// The ends of a pipeline's order, where it fills and drains, hold all that a search can win; the
// steady part between them repeats. So a search on few micro-batches looks at little else, and what
// it finds serves any number: where a rank does the same twice in a row, with one forward and one
// backward of each slot, that is said as often as it takes. The repeat nearest to the middle of the
// rank's list is taken, or, where nothing is done twice in a row, a round that stands there once.
//
// Example: F0 F0&B1 F1&B0 F0&B1 F1&B0 B1 with the pairs once more: F0 (F0&B1 F1&B0) x 3 B1.
#pragma once

#include <optional>

#include "schedules/optimize/placed_problem.h"

namespace pipescope::schedules {

// `order` is for `few` micro-batches, of the problem's kind and number of ranks, at most as many as
// the problem's. Nothing where a rank repeats nothing, or the order does not fit in memory.
std::optional<StepOrder> Stretch(const PlacedProblem& problem, int few, const StepOrder& order);

}  // namespace pipescope::schedules
