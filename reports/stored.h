// A result that `--json` stored, read back for the `report` verb and as a baseline.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sim/base/result.h"

namespace pipescope::reports {

// The data of a stored result's report; `text` came from `file` (named in errors only). Fails where
// it is no JSON, or holds no report of this version's format.
Result<nlohmann::ordered_json> StoredData(const std::string& text, const std::string& file);

}  // namespace pipescope::reports
