#include "reports/stored.h"

namespace pipescope::reports {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "pipescope-report/1";

// nlohmann's parser recurses: bound the depth before it does.
bool TooDeep(const std::string& text) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (quoted && text[i] == '\\') ++i;
    if (quoted) continue;
    if (text[i] == '[' || text[i] == '{') ++depth;
    if (text[i] == ']' || text[i] == '}') --depth;
    if (depth > 64) return true;
  }
  return false;
}

}  // namespace

Result<Json> StoredData(const std::string& text, const std::string& file) {
  const auto fail = [&](const std::string& message) { return Fail(Error{message, {file}}); };
  if (TooDeep(text)) return fail("nested more than 64 levels deep");
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return fail("is not valid JSON");
  const auto report = json.is_object() ? json.find("report") : json.end();
  if (!json.is_object() || report == json.end() || !report->is_object()) {
    return fail("holds no \"report\"; expected a file that simulate or compare wrote with --json");
  }
  const auto format = report->find("format");
  if (format == report->end() || !format->is_string() || *format != kFormat) {
    const std::string found = format != report->end() && format->is_string()
                                  ? format->get<std::string>().substr(0, 80)
                                  : "";
    return fail("report.format: '" + found + "': expected '" + kFormat + "'");
  }
  const auto title = report->find("title");
  if (title == report->end() || !title->is_string()) return fail("report.title: expected a text");
  return std::move(*report);
}

}  // namespace pipescope::reports
