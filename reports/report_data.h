// The data block of the HTML report, format "pipescope-report/1".
//
// Times are rounded to whole nanoseconds, columns are arrays. Actions that run the same operations
// at the same relative times share a "shape", which keeps a step of 100 000 operations small.
// reports/web/data.js reads it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/result/result_types.h"

namespace pipescope::reports {

// One schedule that was predicted and run: errors, and where the two part (parting.h).
struct ValidationRow {
  struct Parting {
    std::string where;  // "rank 1, 1F3"
    Duration late;
    std::string why;
  };
  std::string schedule;
  Duration predicted, measured;
  double error = 0, noise = 0, predicted_noise = 0, others = 0;
  int last_rank = 0;
  Duration longer, waited, after;
  std::vector<Parting> partings;
};

struct ReportFrame {
  std::string title;
  std::string command;  // that reproduces the report
  std::string version;
  // Of pages that are about something else than which schedule is fastest; else empty.
  std::string subtitle = {};
  std::string verdict = {};
  std::vector<ValidationRow> validation = {};
  nlohmann::ordered_json baseline = {};  // baseline_data.h; null: none
  nlohmann::ordered_json fabric = {};    // fabric_data.h; null: none
};

nlohmann::ordered_json ReportData(const std::vector<StepResult>& results, const ReportFrame& frame);

}  // namespace pipescope::reports
