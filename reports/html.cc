#include "reports/html.h"

#include <map>
#include <string_view>

#include "reports/packed.h"
#include "reports/web_embedded.h"
#include "sim/base/result.h"

namespace pipescope::reports {
namespace {

std::string EscapeHtml(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '<') {
      escaped += "&lt;";
    } else if (c == '&') {
      escaped += "&amp;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

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

}  // namespace

std::string HtmlPage(const nlohmann::ordered_json& data) {
  return FillIn(web::Files().front().text, {{"TITLE", EscapeHtml(TextAt(data, "title"))},
                                            {"VERDICT", EscapeHtml(TextAt(data, "verdict"))},
                                            {"DATA", Packed(data)}});
}

std::string HtmlReport(const std::vector<StepResult>& results, const ReportFrame& frame) {
  return HtmlPage(ReportData(results, frame));
}

}  // namespace pipescope::reports
