// The parts of a step's JSON that the result and the report's data block share.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "sim/result/result_types.h"

namespace pipescope::reports {

nlohmann::ordered_json BreakdownJson(const timeline::Breakdown& breakdown);  // seconds
nlohmann::ordered_json MemoryJson(const StepResult& result);                 // bytes, by rank
nlohmann::ordered_json SensitivitiesJson(const StepResult& result);
nlohmann::ordered_json AssumptionsJson(const std::vector<costs::Assumption>& assumptions);

}  // namespace pipescope::reports
