// The chain of operations that decided the step's end: each one started when the one before ended.
//
// Followed backwards over `released_by` from the operation that ended last. Times without an
// operation do not occur: a released operation starts at once.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/timeline/timeline.h"

namespace pipescope::timeline {

// Indices into Timeline::operations, from the step's start to its end.
std::vector<int32_t> CriticalPath(const Timeline& timeline);

// What the path consists of: time and number of its operations by label, the longest first.
struct PathShare {
  int32_t label = 0;
  int32_t count = 0;
  Duration time;
};
std::vector<PathShare> SharesOf(const Timeline& timeline, const std::vector<int32_t>& path);

}  // namespace pipescope::timeline
