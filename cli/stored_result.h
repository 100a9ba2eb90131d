// Results that an earlier run stored with --json, as options name them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sim/base/result.h"

namespace pipescope::cli {

// The data of the report inside (reports/stored.h). Fails where the file cannot be read, is larger
// than 256 MiB, or holds none.
Result<nlohmann::ordered_json> LoadStored(const std::string& file);

// What a report shows changes against (reports/baseline_data.h).
Result<nlohmann::ordered_json> LoadBaseline(const std::string& file);

}  // namespace pipescope::cli
