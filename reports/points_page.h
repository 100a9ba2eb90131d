// The page of many steps: a sweep's points, or the plans that a search kept. Format
// "pipescope-points/1".
//
//   kind      "sweep" or "plan"
//   fields    names of what was varied: ["communication.sms", "schedule"]
//   points    columns: `values` (a list of texts a point, beside `fields`), figures, `status`
//             (0 fits, 1 does not fit in memory, 2 refused), `reason` (an index into `reasons`, -1:
//             none), `front` (1: no other one is better in step time and memory, of plans also in
//             GPUs), `rank` (1: the fastest listed; 0: listed only since it is on the front)
//   why       why the first one wins, of a plan
//   pruned    what was left out by what, of a plan: {what, count, explain}
//
// reports/web/points_data.js reads it.
#pragma once

#include <string>
#include <vector>

#include "sim/result/plan_types.h"
#include "sim/result/sweep_point.h"

namespace pipescope::reports {

struct PointsFrame {
  std::string experiment;  // its file
  std::string command;     // that reproduces the page
  std::string version;
};

std::string SweepPage(const std::vector<SweepPoint>& points, const PointsFrame& frame);
std::string PlanPage(const PlanReport& report, const PointsFrame& frame);

}  // namespace pipescope::reports
