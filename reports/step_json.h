// JSON of `simulate` and `compare`: the keys that other tools rely on. Times end in `_s`, sizes in
// `_bytes`; the same input gives the same bytes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/result/result_types.h"

namespace pipescope::reports {

// One result as an object; ends with a newline.
std::string StepJson(const StepResult& result);

// {"results": [...]}, in the order given.
std::string CompareJson(const std::vector<StepResult>& results);

// `json` (of either kind) with the report's data block added as "report", so that the report can
// be made from the file later.
std::string WithReport(const std::string& json, const nlohmann::ordered_json& data);

}  // namespace pipescope::reports
