#include "reports/regress_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace pipescope::reports {
namespace {

std::string EscapeXml(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

std::string Figure(const MetricCheck& check, double value) {
  if (check.metric.ends_with("_bytes")) return fmt::format("{:.2f} GiB", value / 1073741824.0);
  return fmt::format("{:.6f} s", value);
}

std::string Line(const MetricCheck& check) {
  return fmt::format("{} -> {} ({:+.4f} %)", Figure(check, check.before), Figure(check, check.now),
                     check.change() * 100);
}

}  // namespace

std::string RegressText(const std::vector<CheckedCase>& cases) {
  std::string text;
  int worse = 0;
  int all = 0;
  for (const CheckedCase& c : cases) {
    text += c.baseline.name() + "\n";
    for (const MetricCheck& check : c.checks) {
      const char* word = check.worse ? "WORSE" : check.now < check.before ? "better" : "ok";
      text += fmt::format("  {:<6} {:<18} {}\n", word, check.metric, Line(check));
      worse += check.worse;
      ++all;
    }
  }
  text += worse == 0
              ? fmt::format("{} figures, none worse\n", all)
              : fmt::format("{} of {} figures are worse than the baseline allows\n", worse, all);
  return text;
}

std::string RegressJunit(const std::vector<CheckedCase>& cases) {
  int tests = 0;
  int failures = 0;
  std::string body;
  for (const CheckedCase& c : cases) {
    for (const MetricCheck& check : c.checks) {
      ++tests;
      body += fmt::format("    <testcase classname=\"{}\" name=\"{}\"",
                          EscapeXml(c.baseline.name()), check.metric);
      if (!check.worse) {
        body += "/>\n";
        continue;
      }
      ++failures;
      body += fmt::format(">\n      <failure message=\"{}\"/>\n    </testcase>\n",
                          EscapeXml(check.metric + " got worse: " + Line(check)));
    }
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"pipescope "
      "regress\" tests=\"{}\" failures=\"{}\">\n{}  </testsuite>\n</testsuites>\n",
      tests, failures, body);
}

std::string BaselineJson(const std::vector<BaselineCase>& cases) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const BaselineCase& c : cases) {
    nlohmann::ordered_json item = {{"experiment", c.experiment}, {"schedule", c.schedule}};
    if (!c.overrides.empty()) item["set"] = c.overrides;
    if (c.tolerance > 0) item["tolerance"] = c.tolerance;
    if (c.expected.step_time_s) item["step_time_s"] = *c.expected.step_time_s;
    if (c.expected.bubble_s) item["bubble_s"] = *c.expected.bubble_s;
    // Bytes are whole, and a person compares this file line by line.
    if (const auto peak = c.expected.memory_peak_bytes) {
      item["memory_peak_bytes"] = static_cast<int64_t>(*peak);
    }
    list.push_back(std::move(item));
  }
  return nlohmann::ordered_json{{"cases", std::move(list)}}.dump(
             2, ' ', false, nlohmann::json::error_handler_t::replace) +
         "\n";
}

}  // namespace pipescope::reports
