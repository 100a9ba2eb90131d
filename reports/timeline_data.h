// A timeline as the report's columns; see report_data.h.
#pragma once

#include <nlohmann/json.hpp>

#include "sim/result/result_types.h"

namespace pipescope::reports {

nlohmann::ordered_json TimelineData(const StepResult& result);

}  // namespace pipescope::reports
