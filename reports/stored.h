// A result that `--json` stored, read back for the `report` verb.
#pragma once

#include <string>

#include "sim/base/result.h"

namespace pipescope::reports {

// The HTML page of a stored result; `text` came from `file` (named in errors only). Fails where it
// is no JSON, or holds no report of this version's format.
Result<std::string> StoredReport(const std::string& text, const std::string& file);

}  // namespace pipescope::reports
