#include "reports/html.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "reports/packed.h"
#include "reports/static_page.h"
#include "reports/web_embedded.h"
#include "sim/base/result.h"

namespace pipescope::reports {
namespace {

// Stored data may hold anything.
std::string TextAt(const nlohmann::ordered_json& data, const char* name) {
  const auto at = data.find(name);
  return at != data.end() && at->is_string() ? at->get<std::string>() : std::string();
}

// Fills in `@@NAME@@`; what is filled in is not looked at again.
std::string FillIn(std::string_view page, const std::map<std::string_view, std::string>& values) {
  std::string out;
  while (true) {
    const size_t at = page.find("@@");
    const size_t end = at == std::string_view::npos ? at : page.find("@@", at + 2);
    if (end == std::string_view::npos) break;
    out += page.substr(0, at);
    const auto value = values.find(page.substr(at + 2, end - at - 2));
    PIPESCOPE_CHECK(value != values.end());
    out += value->second;
    page.remove_prefix(end + 2);
  }
  return out += page;
}

std::string PageOf(std::string_view name, const nlohmann::ordered_json& data) {
  const auto files = web::Files();
  const auto page =
      std::find_if(files.begin(), files.end(), [&](const auto& file) { return file.name == name; });
  PIPESCOPE_CHECK(page != files.end());
  return FillIn(page->text, {{"TITLE", EscapeHtml(TextAt(data, "title"))},
                             {"VERDICT", EscapeHtml(TextAt(data, "verdict"))},
                             {"STATIC", StaticTables(data)},
                             {"DATA", Packed(data)}});
}

}  // namespace

std::string HtmlPage(const nlohmann::ordered_json& data) { return PageOf("page.html", data); }

std::string PointsHtml(const nlohmann::ordered_json& data) { return PageOf("points.html", data); }

std::string HtmlReport(const std::vector<StepResult>& results, const ReportFrame& frame) {
  return HtmlPage(ReportData(results, frame));
}

}  // namespace pipescope::reports
