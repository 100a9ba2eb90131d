// Orders of one stage a rank that are told apart by the length of their warm-up alone: `depth` 1 is
// the plain schedule, 2 one that runs twice as far ahead.
//
//   whole backwards   1F1B (1), eager 1F1B (2)
//   split backwards   ZB-H1 (1), ZB-H2 (2)
//
// Their rules stand in the files of the families.
#pragma once

#include <string>

#include "schedules/family.h"

namespace pipescope::schedules {

// Rank r: min(m, depth (p-1-r)) forwards, then a forward (while any is left) and a backward in
// turn.
Schedule AlternateAfterWarmUp(const std::string& name, const Options& options, int depth);

// The same with I for B; from i = depth r on every I is followed by the oldest W, the rest of which
// come last.
Schedule HoldBackWeights(const std::string& name, const Options& options, int depth);

}  // namespace pipescope::schedules
