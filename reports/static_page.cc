#include "reports/static_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "sim/base/quantity.h"

namespace pipescope::reports {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostRows = 200;

// Stored data may hold anything: what is not there, or of another type, is null.
const Json& At(const Json& value, const char* key) {
  static const Json kNone;
  if (!value.is_object()) return kNone;
  const auto at = value.find(key);
  return at == value.end() ? kNone : *at;
}

std::string Text(const Json& value) { return value.is_string() ? value.get<std::string>() : ""; }

using Written = std::function<std::string(double)>;
std::string Number(const Json& value, const Written& write) {
  if (!value.is_number() || !std::isfinite(value.get<double>())) return "-";
  return write(value.get<double>());
}

// Beyond it a Duration's picoseconds would not hold.
constexpr double kLongest = 1e6;
std::string Time(const Json& value) {
  return Number(value, [](double s) {
    return std::fabs(s) < kLongest ? Format(Seconds(s)) : fmt::format("{:.4g} s", s);
  });
}
std::string Share(const Json& value) {
  return Number(value, [](double share) { return FormatPercent(share); });
}
std::string Gibibytes(const Json& value) {
  return Number(value, [](double bytes) { return fmt::format("{:.2f} GiB", bytes / (1 << 30)); });
}
std::string Count(const Json& value) {
  return Number(value, [](double count) { return FormatCount(count); });
}

class Table {
 public:
  Table(const std::string& caption, const std::vector<std::string>& head) {
    html_ = "<div class=\"scroll\"><table><caption>" + EscapeHtml(caption) + "</caption><thead>";
    html_ += Line("th scope=\"col\"", "th", head) + "</thead><tbody>\n";
  }
  void Add(const std::vector<std::string>& cells) {
    if (++rows_ <= kMostRows) html_ += Line("td", "td", cells);
  }
  std::string Take() {
    if (rows_ == 0) return "";
    html_ += "</tbody></table></div>\n";
    if (rows_ > kMostRows) {
      html_ += fmt::format("<p>and {} rows more, in the data</p>\n", rows_ - kMostRows);
    }
    return std::move(html_);
  }

 private:
  static std::string Line(const char* open, const char* close,
                          const std::vector<std::string>& cells) {
    std::string line = "<tr>";
    for (const std::string& cell : cells) {
      line += fmt::format("<{}>{}</{}>", open, EscapeHtml(cell), close);
    }
    return line + "</tr>\n";
  }
  std::string html_;
  size_t rows_ = 0;
};

std::string TilesTable(const Json& data) {
  Table table("In short", {"", "", ""});
  for (const Json& tile : At(data, "highlights")) {
    table.Add({Text(At(tile, "label")), Text(At(tile, "value")), Text(At(tile, "note"))});
  }
  return table.Take();
}

std::string ScheduleTable(const Json& results) {
  Table table("Schedules", {"schedule", "step", "tokens/s", "MFU", "bubble", "hidden", "exposed",
                            "bound by", ""});
  for (const Json& r : results) {
    const Json& c = At(r, "communication");
    table.Add({Text(At(r, "label")), Time(At(r, "step_time_s")), Count(At(r, "tokens_per_second")),
               Share(At(At(r, "mfu"), "causal")), Share(At(At(r, "bubble"), "makespan_rate")),
               Share(At(c, "hidden_share")), Time(At(c, "exposed_s")), Text(At(r, "bound_by")),
               At(r, "fits") == Json(false) ? "does not fit" : ""});
  }
  return table.Take();
}

std::string StepTable(const Json& results) {
  Table table("Where the step goes, mean over ranks",
              {"schedule", "F", "I", "W", "F&B pairs", "exposed", "optimizer", "bubble"});
  for (const Json& r : results) {
    std::vector<std::string> row = {Text(At(r, "label"))};
    for (const char* part : {"forward", "backward_input", "backward_weight", "overlapped",
                             "exposed_communication", "optimizer", "bubble"}) {
      row.push_back(Time(At(At(r, "breakdown_s"), part)));
    }
    table.Add(row);
  }
  return table.Take();
}

std::string CauseTable(const Json& results) {
  Table table("Why ranks wait, mean over ranks", {"schedule", "cause", "time", "of the bubble"});
  for (const Json& r : results) {
    for (const Json& a : At(r, "attribution")) {
      table.Add({Text(At(r, "label")), Text(At(a, "kind")), Time(At(a, "seconds")),
                 Share(At(a, "share"))});
    }
  }
  return table.Take();
}

std::string MemoryTable(const Json& results) {
  Table table("Memory by rank", {"schedule", "rank", "parameters", "gradients", "optimizer",
                                 "activations", "buffers", "peak", "limit"});
  for (const Json& r : results) {
    int rank = 0;
    for (const Json& m : At(r, "memory_bytes")) {
      std::vector<std::string> row = {Text(At(r, "label")), std::to_string(rank++)};
      for (const char* part : {"parameters", "gradients", "optimizer", "activations_peak",
                               "buffers", "total_peak", "limit"}) {
        row.push_back(Gibibytes(At(m, part)));
      }
      table.Add(row);
    }
  }
  return table.Take();
}

std::string ValidationTable(const Json& data) {
  Table table("Predicted and measured",
              {"schedule", "predicted", "noise", "measured", "noise", "error"});
  for (const Json& v : At(data, "validation")) {
    table.Add({Text(At(v, "schedule")), Time(At(v, "predicted_s")), Share(At(v, "predicted_noise")),
               Time(At(v, "measured_s")), Share(At(v, "noise")), Share(At(v, "error"))});
  }
  return table.Take();
}

std::string TextTable(const std::string& caption, const Json& list,
                      const std::vector<const char*>& keys) {
  Table table(caption, std::vector<std::string>(keys.begin(), keys.end()));
  for (const Json& row : list) {
    std::vector<std::string> cells;
    for (const char* key : keys) {
      const Json& cell = At(row, key);
      cells.push_back(cell.is_number() ? Count(cell) : Text(cell));
    }
    table.Add(cells);
  }
  return table.Take();
}

std::string PointTable(const Json& data) {
  const Json &fields = At(data, "fields"), &points = At(data, "points");
  std::vector<std::string> head;
  for (const Json& field : fields) head.push_back(Text(field));
  const size_t figures_from = head.size();
  for (const char* name : {"step", "tokens/s", "MFU", "bubble", "peak memory", ""}) {
    head.emplace_back(name);
  }
  Table table("Points", head);
  const auto cell = [&](const char* name, size_t i) -> const Json& {
    static const Json kNone;
    const Json& column = At(points, name);
    return column.is_array() && i < column.size() ? column[i] : kNone;
  };
  for (size_t i = 0; i < At(points, "values").size(); ++i) {
    std::vector<std::string> row;
    for (const Json& value : cell("values", i)) row.push_back(Text(value));
    row.resize(figures_from);
    const Json& reason = cell("reason", i);
    const Json& reasons = At(data, "reasons");
    const int64_t place = reason.is_number_integer() ? reason.get<int64_t>() : -1;
    const bool refused = place >= 0 && static_cast<size_t>(place) < reasons.size();
    row.insert(row.end(), {Time(cell("step_time_s", i)), Count(cell("tokens_per_second", i)),
                           Share(cell("mfu", i)), Share(cell("bubble_rate", i)),
                           Gibibytes(cell("memory_peak_bytes", i)),
                           refused ? Text(reasons[static_cast<size_t>(place)])
                           : cell("status", i) == Json(1) ? "does not fit"
                           : cell("front", i) == Json(1)  ? "on the front"
                                                          : ""});
    table.Add(row);
  }
  return table.Take();
}

}  // namespace

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

std::string StaticTables(const Json& data) {
  const Json& results = At(data, "results");
  std::string html = TilesTable(data);
  if (const std::string why = Text(At(data, "why")); !why.empty()) {
    html += "<p>" + EscapeHtml(why) + "</p>\n";
  }
  html += ScheduleTable(results) + StepTable(results) + CauseTable(results) + MemoryTable(results) +
          ValidationTable(data);
  html += PointTable(data) +
          TextTable("What was left out", At(data, "pruned"), {"what", "count", "explain"}) +
          TextTable("Assumptions", At(data, "assumptions"), {"name", "value", "source"});
  return html + "<p>Reproduce: <code>" + EscapeHtml(Text(At(data, "command"))) + "</code></p>\n";
}

}  // namespace pipescope::reports
