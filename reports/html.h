// The HTML report: reports/web's page with one data block, in one file that needs no network.
#pragma once

#include <string>
#include <vector>

#include "reports/report_data.h"
#include "sim/result/result_types.h"

namespace pipescope::reports {

std::string HtmlReport(const std::vector<StepResult>& results, const ReportFrame& frame);

// The same from the data block alone, as `--json` stores it beside a result.
std::string HtmlPage(const std::string& title, const std::string& data);

}  // namespace pipescope::reports
