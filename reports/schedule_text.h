// A schedule and its timing for people, in the spirit of llvm-mca: what was assumed, a timeline,
// the figures derived from it, what a closed form says, and how to get the same again.
#pragma once

#include <optional>
#include <string>

#include "schedules/evaluate.h"
#include "schedules/family.h"

namespace pipescope::reports {

struct ScheduleReport {
  const schedules::Schedule& schedule;
  const schedules::Prepared& prepared;
  const schedules::Costs& costs;
  const schedules::Timing& timing;
  const schedules::Family* family = nullptr;  // of a generated schedule
  schedules::Options options;                 // likewise
  std::string source;                         // of a file's: its path, else ""
  std::string note;                           // a line about how it was read, or ""
  std::string reproduce;                      // the command line
};

std::string ScheduleText(const ScheduleReport& report);

// "F=1 I=1 W=1 B=2 FB=3 comm=0 (per chunk; comm per hop)".
std::string CostsText(const schedules::Costs& costs);

// What the letters of a timeline mean.
std::string TimelineLegend();

// `schedule list`.
std::string FamiliesText(const std::vector<schedules::Family>& families);

}  // namespace pipescope::reports
