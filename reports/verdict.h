// The answer in a sentence or two: which schedule, how fast, what bounds it, what it gains.
#pragma once

#include <string>
#include <vector>

#include "sim/result/result_types.h"

namespace pipescope::reports {

// "DualPipe" for "dualpipe", "1F1B" for "1f1b"; a name it does not know stays as it is.
std::string Label(const std::string& schedule);

// Whether what an action is made of was simulated (every fidelity but `schedule`).
bool Operations(const StepResult& result);

std::string Verdict(const StepResult& result);

// Of several schedules for the same work: the fastest that fits, and by how much.
std::string CompareVerdict(const std::vector<StepResult>& results);

// The index of the fastest result that fits in memory; of the fastest at all where none does.
size_t Best(const std::vector<StepResult>& results);

// The rank with the largest peak.
size_t FullestRank(const StepResult& result);

}  // namespace pipescope::reports
