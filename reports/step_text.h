// A step as text: the verdict, then numbers, an ASCII timeline, the bubble's causes, memory.
#pragma once

#include <string>
#include <vector>

#include "sim/result/result_types.h"

namespace pipescope::reports {

std::string StepText(const StepResult& result, const std::string& command);

std::string CompareText(const std::vector<StepResult>& results, const std::string& command);

// One row a rank, `columns` equal slices of the step, each with the letter of what took most of it:
// F forward, B full backward, I input gradient, W weight gradient, X overlapped pair, o step's end
// (gradients, optimizer, parameters), . bubble.
std::string AsciiTimeline(const StepResult& result, int columns);

}  // namespace pipescope::reports
