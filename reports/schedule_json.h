// A schedule and its timing as JSON, for scripts. The keys are a promise:
//
//   schedule, ranks, stages, microbatches, costs{F,I,W,B,FB,comm}, makespan, span, busy[rank],
//   bubble{per_rank[],makespan_rate,span_rate}, peak_activations[rank], actions[rank][token]
//
// A cost is a number, or a list with one a stage where it was given so. B and FB that were not
// given are what they stand for (I + W, F + B); FB is null where that differs from pair to pair.
#pragma once

#include <string>

#include "schedules/evaluate.h"

namespace pipescope::reports {

std::string ScheduleJson(const schedules::Schedule& schedule, const schedules::Prepared& prepared,
                         const schedules::Costs& costs, const schedules::Timing& timing);

}  // namespace pipescope::reports
