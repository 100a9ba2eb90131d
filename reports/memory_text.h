// Memory of a step as text: what every rank holds at its peak, and whose activations they are.
#pragma once

#include <string>

#include "sim/result/result_types.h"

namespace pipescope::reports {

// A line a rank.
std::string MemoryTable(const StepResult& result);

// Of the fullest rank, as one sentence: "At its peak rank 1 holds 16 micro-batches of stage 1 for
// backward (38.1 GiB), ...". Empty where it holds no activations.
std::string PeakHolders(const StepResult& result);

}  // namespace pipescope::reports
