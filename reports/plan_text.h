// The best plans as tables, the front, what was left out and why, and in words why the first one is
// the fastest and what the second one costs.
#pragma once

#include <string>

#include "sim/result/plan_types.h"

namespace pipescope::reports {

std::string PlanText(const PlanReport& report, const std::string& command);

// Which choices differ between the two fastest, which parts of the step make up the difference,
// and what being second costs: time, tokens a day, GPU hours per 10^12 tokens. "" for one plan.
std::string WhyFirst(const PlanReport& report);

}  // namespace pipescope::reports
