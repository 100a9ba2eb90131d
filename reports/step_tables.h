// Tables of steps beside each other, a line a schedule.
#pragma once

#include <span>
#include <string>

#include "sim/result/result_types.h"

namespace pipescope::reports {

std::string SummaryTable(std::span<const StepResult> results);

// The step cut by what a rank's compute lane does, or waits for.
std::string BreakdownTable(std::span<const StepResult> results);

// The same step cut by actions, as a profiler's annotations would show it.
std::string ActionTable(std::span<const StepResult> results);

// The bubble by cause.
std::string BubbleTable(std::span<const StepResult> results);

}  // namespace pipescope::reports
