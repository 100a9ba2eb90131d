// The report page of `pipescope validate`: predicted above measured for every schedule, on one
// axis, with errors and where the two part.
#pragma once

#include <string>
#include <vector>

#include "reports/validate_report.h"
#include "sim/result/result_types.h"

namespace pipescope::reports {

// [2 * case] the prediction, [2 * case + 1] the run: as steps of a simulation are shown. The cases
// have their timelines.
std::vector<StepResult> ValidateSteps(const ValidateResult& result);

// The cases have their timelines.
std::string ValidatePage(const ValidateResult& result, const std::string& command,
                         const std::string& version);

}  // namespace pipescope::reports
