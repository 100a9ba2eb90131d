// What a report keeps of an earlier result, to show what has changed: a few figures by schedule.
//
//   "baseline": {"file": "before.json", "version": "0.9", "command": "...", "results": [
//     {"label": "DualPipe", "step_time_s": 17.0, "bubble_rate": 0.06, "peak_bytes": ...,
//      "breakdown_s": {"forward": ..., ...}}]}
//
// reports/web/baseline.js sets them beside the results of the same label.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sim/base/result.h"

namespace pipescope::reports {

// `stored` is the data of a report (report_data.h) that came from `file`. Fails where a figure is
// missing, saying which.
Result<nlohmann::ordered_json> BaselineData(const nlohmann::ordered_json& stored,
                                            const std::string& file);

}  // namespace pipescope::reports
