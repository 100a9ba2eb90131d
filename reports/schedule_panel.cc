#include "reports/schedule_panel.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/quantity.h"

namespace pipescope::reports {

std::string PanelFigures(const SchedulePanel& panel) {
  const auto& peaks = panel.prepared.peak_activations;
  return fmt::format("makespan {:.6g}, bubble {}, peak activations {}", panel.timing.makespan,
                     FormatPercent(panel.timing.makespan_rate),
                     *std::max_element(peaks.begin(), peaks.end()));
}

std::string PanelsSize(const std::vector<SchedulePanel>& panels) {
  const auto range = [&](int schedules::Schedule::*count, const char* what) {
    int least = panels.front().schedule.*count, most = least;
    for (const SchedulePanel& panel : panels) {
      least = std::min(least, panel.schedule.*count);
      most = std::max(most, panel.schedule.*count);
    }
    const std::string number =
        least == most ? fmt::format("{}", most) : fmt::format("{} to {}", least, most);
    return fmt::format("{} {}", number, what);
  };
  return range(&schedules::Schedule::ranks, "ranks") + ", " +
         range(&schedules::Schedule::microbatches, "micro-batches");
}

double LongestMakespan(const std::vector<SchedulePanel>& panels) {
  double longest = 0;
  for (const SchedulePanel& panel : panels) longest = std::max(longest, panel.timing.makespan);
  return longest;
}

}  // namespace pipescope::reports
