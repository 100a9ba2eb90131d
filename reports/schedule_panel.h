// One schedule among several that are shown together, on one time axis.
#pragma once

#include <string>
#include <vector>

#include "schedules/evaluate.h"

namespace pipescope::reports {

struct SchedulePanel {
  std::string name;  // as it was asked for
  schedules::Schedule schedule;
  schedules::Prepared prepared;
  schedules::Timing timing;
};

// "makespan 33, bubble 27.3 %, peak activations 4".
std::string PanelFigures(const SchedulePanel& panel);

// "8 ranks, 16 micro-batches", or from the least to the most where they differ.
std::string PanelsSize(const std::vector<SchedulePanel>& panels);

double LongestMakespan(const std::vector<SchedulePanel>& panels);

}  // namespace pipescope::reports
