// The data block of the HTML report, format "pipescope-report/1".
//
// Times are whole nanoseconds, columns are arrays. Actions that run the same operations at the same
// relative times share a "shape", which keeps a step of 100 000 operations small.
// reports/web/data.js reads it.
#pragma once

#include <string>
#include <vector>

#include "sim/result/result_types.h"

namespace pipescope::reports {

struct ReportFrame {
  std::string title;
  std::string command;  // that reproduces the report
  std::string version;
};

// One JSON object on one line. `<` is written as \u003c, so that it can stand inside a script tag.
std::string ReportData(const std::vector<StepResult>& results, const ReportFrame& frame);

}  // namespace pipescope::reports
