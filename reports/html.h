// The HTML report: reports/web's page with one packed data block, in one file that needs no
// network.
#pragma once

#include <string>
#include <vector>

#include "reports/report_data.h"
#include "sim/result/result_types.h"

namespace pipescope::reports {

std::string HtmlReport(const std::vector<StepResult>& results, const ReportFrame& frame);

// The same from the data alone, as `--json` stores it beside a result; it holds a text `title`.
std::string HtmlPage(const nlohmann::ordered_json& data);

// The page of many steps (points_page.h), from its data.
std::string PointsHtml(const nlohmann::ordered_json& data);

}  // namespace pipescope::reports
