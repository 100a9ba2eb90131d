// A point of a sweep, and the line of JSON that stores it: keys sorted, no line break within.
//
//   {"bound_by":"computation","breakdown_s":{...},"bubble_rate":0.059,"fits":true,"gpus":2048,
//    "index":3,"memory_bytes":{"limit":...,"peak":...,"rank":0},"mfu":0.457,
//    "overrides":{"communication.sms":"20"},"schedule":"dualpipe","step_time_s":17.02,
//    "sweep":"9f1c...","tokens_per_second":3696000.0}
//   {"error":"...","index":4,"overrides":{...},"sweep":"9f1c..."}
//
// `sweep` names the sweep that the point belongs to (sim/sweep/identity.h). Doubles are written to
// read back as they were, and times below an hour to the picosecond.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/base/result.h"
#include "sim/result/step_figures.h"

namespace pipescope {

struct SweepPoint {
  int64_t index = 0;
  std::vector<std::pair<std::string, std::string>> overrides;  // path, value
  StepFigures figures;                                         // where there is no error
  std::string error;  // one line: why there is no step, or ""
};

// Without a line break at its end.
std::string SweepLine(const SweepPoint& point, const std::string& sweep);

struct StoredPoint {
  SweepPoint point;
  std::string sweep;
};
// Fails where the text is no such line.
Result<StoredPoint> ReadSweepLine(const std::string& line);

}  // namespace pipescope
