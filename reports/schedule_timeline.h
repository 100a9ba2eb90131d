// The order and timing of a schedule as a grid of text: a row a rank, time to the right.
//
//   time        0        6        12       18
//   rank 0      F0 F1 F2 ......B0--- F3 B1---
//
// A cell begins with the action's letter and micro-batch and fills its time with '-'; '.' is
// idle. A pair is "F1&B0". Letters are lower case on a rank's later stages (of those it holds for
// the same or the other direction). One time step is the least cost that occurs, and as many
// characters as readability wants and the width allows; labels that do not fit are cut to their
// letter, a pair's to X.
#pragma once

#include <string>
#include <vector>

#include "reports/schedule_panel.h"
#include "schedules/evaluate.h"

namespace pipescope::reports {

inline constexpr int kTimelineColumns = 160;
inline constexpr int kTimelineRanks = 64;

// Ends with a line that says what was cut off, if anything was.
std::string TimelineText(const schedules::Schedule& schedule, const schedules::Prepared& prepared,
                         const schedules::Timing& timing);

// Several below each other, at the same scale and under one ruler; each row ends where its
// schedule does. At least one.
std::string TimelinesText(const std::vector<SchedulePanel>& panels);

}  // namespace pipescope::reports
