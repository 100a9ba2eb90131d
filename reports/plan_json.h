// A plan's answer as JSON, keys sorted:
//   experiment, model, cluster, limit_bytes, counts{considered, impossible, ...}, why,
//   best[] and front[]{choice{...}, set{path: value}, step_time_s, bound_s, tokens_per_second, mfu,
//   bubble_rate, bound_by, memory_bytes{peak, limit}}
#pragma once

#include <string>

#include "sim/result/plan_types.h"

namespace pipescope::reports {

std::string PlanJson(const PlanReport& report);

}  // namespace pipescope::reports
