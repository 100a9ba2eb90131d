// The report page of `pipescope validate`: predicted above measured for every schedule, on one
// axis, with errors and where the two part.
#pragma once

#include <string>

#include "reports/validate_report.h"

namespace pipescope::reports {

// The cases have their timelines.
std::string ValidatePage(const ValidateResult& result, const std::string& command,
                         const std::string& version);

}  // namespace pipescope::reports
