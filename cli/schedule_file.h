// Orders read from PyTorch's CSVs, compute-only or lowered. The communication of a lowered one is
// checked and then dropped: timing places messages itself.
#pragma once

#include <string>

#include "schedules/schedule.h"
#include "sim/base/result.h"

namespace pipescope::cli {

struct ScheduleFile {
  schedules::Schedule schedule;
  std::string note;  // how it was read, or ""
};

// Fails with the first finding where the order cannot run.
Result<ScheduleFile> ReadScheduleFile(const std::string& path);

// `schedule check`: prints what is wrong, or that nothing is; returns the exit code.
int CheckScheduleFile(const std::string& path);

}  // namespace pipescope::cli
