#include "reports/regress_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

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

// What would be taken for a table's edge, a link or markup.
std::string EscapeMarkdown(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\`*_[]<>|#").find(c) != std::string_view::npos) out += '\\';
    out += c == '\n' ? ' ' : c;
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
    for (const std::string& reason : c.reasons) text += "  " + reason + "\n";
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
      body += fmt::format(">\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n",
                          EscapeXml(check.metric + " got worse: " + Line(check)),
                          EscapeXml(fmt::format("{}", fmt::join(c.reasons, "\n"))));
    }
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"pipescope "
      "regress\" tests=\"{}\" failures=\"{}\">\n{}  </testsuite>\n</testsuites>\n",
      tests, failures, body);
}

std::string RegressMarkdown(const std::vector<CheckedCase>& cases) {
  std::string table =
      "| case | figure | baseline | now | change | |\n|---|---|---:|---:|---:|---|\n";
  std::string reasons;
  int worse = 0;
  int all = 0;
  for (const CheckedCase& c : cases) {
    const std::string name = EscapeMarkdown(c.baseline.name());
    for (const MetricCheck& check : c.checks) {
      table += fmt::format("| {} | {} | {} | {} | {:+.2f} % | {} |\n", name, check.metric,
                           Figure(check, check.before), Figure(check, check.now),
                           check.change() * 100, check.worse ? "**worse**" : "");
      worse += check.worse;
      ++all;
    }
    for (const std::string& reason : c.reasons) {
      reasons += fmt::format("- {}: {}\n", name, EscapeMarkdown(reason));
    }
  }
  const std::string head =
      worse == 0 ? fmt::format("pipescope: {} figures, none worse\n\n", all)
                 : fmt::format("pipescope: **{} of {} figures are worse**\n\n", worse, all);
  return head + table + (reasons.empty() ? "" : "\n" + reasons);
}

namespace {

using Json = nlohmann::ordered_json;

std::string Dump(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json CaseJson(const BaselineCase& c) {
  Json item;
  if (c.traces.empty()) {
    item = {{"experiment", c.experiment}, {"schedule", c.schedule}};
  } else {
    item["trace"] = c.traces;
  }
  if (!c.overrides.empty()) item["set"] = c.overrides;
  if (c.tolerance > 0) item["tolerance"] = c.tolerance;
  if (!c.tolerances.empty()) item["tolerances"] = c.tolerances;
  if (c.expected.step_time_s) item["step_time_s"] = *c.expected.step_time_s;
  if (c.expected.bubble_s) item["bubble_s"] = *c.expected.bubble_s;
  // Bytes are whole, and a person compares this file line by line.
  if (const auto peak = c.expected.memory_peak_bytes) {
    item["memory_peak_bytes"] = static_cast<int64_t>(*peak);
  }
  return item;
}

Json RankJson(const RankPrint& rank) {
  // Nine digits tell a nanosecond of a second, and keep the file readable.
  const auto rounded = [](double seconds) { return std::round(seconds * 1e9) / 1e9; };
  const auto times = [&](const std::map<std::string, double>& values) {
    Json json = Json::object();
    for (const auto& [name, seconds] : values) json[name] = rounded(seconds);
    return json;
  };
  Json json = {{"busy_s", rounded(rank.busy_s)}, {"bubble_s", rounded(rank.bubble_s)}};
  if (rank.peak_bytes > 0) {
    json["peak_bytes"] = static_cast<int64_t>(rank.peak_bytes);
    json["activations_bytes"] = static_cast<int64_t>(rank.activations_bytes);
  }
  json["actions_s"] = times(rank.actions_s);
  json["waits_s"] = times(rank.waits_s);
  return json;
}

}  // namespace

std::string BaselineJson(const std::vector<BaselineCase>& cases) {
  // A rank a line: short enough to compare, and no wall of brackets.
  std::string text = "{\n  \"cases\": [";
  for (size_t i = 0; i < cases.size(); ++i) {
    std::string item = Dump(CaseJson(cases[i]), 2);
    if (!cases[i].ranks.empty()) {
      item.resize(item.size() - 2);  // "\n}"
      item += ",\n  \"ranks\": [\n";
      for (size_t r = 0; r < cases[i].ranks.size(); ++r) {
        item += "    " + Dump(RankJson(cases[i].ranks[r]), -1);
        item += r + 1 < cases[i].ranks.size() ? ",\n" : "\n";
      }
      item += "  ]\n}";
    }
    text += i == 0 ? "\n    " : ",\n    ";
    for (const char c : item) text += c == '\n' ? std::string("\n    ") : std::string(1, c);
  }
  return text + "\n  ]\n}\n";
}

}  // namespace pipescope::reports
