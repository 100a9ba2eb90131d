// What a page says of predictions held against runs; report_data.h's key "validation".
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "reports/report_data.h"

namespace pipescope::reports {

nlohmann::ordered_json ValidationData(const std::vector<ValidationRow>& rows);
// The tiles at the top.
nlohmann::ordered_json ValidationHighlights(const std::vector<ValidationRow>& rows);

}  // namespace pipescope::reports
