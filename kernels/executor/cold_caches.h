// Cold caches, the same for all that is timed: memory is read that nobody else uses, more than the
// caches hold that a processor has to itself, and most of what it shares.
//
// What a step of training finds in the caches depends on what ran before it. A run that follows
// another one's finds none of its own; a calibration that follows itself finds all of it, and its
// first micro-batches are up to a fourth shorter (a model of hidden 64, of caches of 1 and 32 MiB).
#pragma once

#include <vector>

namespace pipescope::executor {

// Of those processors (processors.h), at once. Some milliseconds.
void CoolCaches(const std::vector<int>& processors);

}  // namespace pipescope::executor
