#include "sim/sweep/grid.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "sim/base/file.h"

namespace pipescope::sweep {
namespace {

std::string Trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// At separators outside brackets and quotes; parts are trimmed.
std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  int depth = 0;
  char quote = 0;
  for (const char c : text) {
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '[' || c == '{' || c == '(') {
      ++depth;
    } else if (c == ']' || c == '}' || c == ')') {
      --depth;
    }
    if (c == separator && depth <= 0 && quote == 0) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  for (std::string& part : parts) part = Trimmed(part);
  return parts;
}

Status CheckAxis(const std::string& text, const Axis& axis) {
  for (const auto& row : axis.rows) {
    if (std::find(row.begin(), row.end(), "") != row.end()) {
      return Fail(fmt::format("{}: a value is empty; expected one between every two commas", text));
    }
  }
  std::set<std::vector<std::string>> seen;
  for (const auto& row : axis.rows) {
    if (seen.insert(row).second) continue;
    return Fail(fmt::format("{}: '{}' is there twice", text, fmt::join(row, ",")));
  }
  return {};
}

Result<Axis> OnePath(const std::string& option, const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return Fail(
        fmt::format("{} '{}': expected path=value,value,..., such as "
                    "communication.sms=8,20",
                    option, text));
  }
  Axis axis;
  axis.paths = {Trimmed(text.substr(0, equals))};
  for (std::string& value : Split(text.substr(equals + 1), ',')) {
    axis.rows.push_back({std::move(value)});
  }
  return axis;
}

// Whether setting one sets the other too: "a.b" and "a.b.c", "a.b" and "a.b[0]".
bool Within(const std::string& outer, const std::string& inner) {
  if (!inner.starts_with(outer)) return false;
  return inner.size() == outer.size() || inner[outer.size()] == '.' || inner[outer.size()] == '[';
}

Result<Axis> ReadCsv(const std::string& path) {
  auto text = ReadFile(path);
  if (!text) return Fail(text.error());
  Axis axis;
  int line = 0;
  for (size_t from = 0; from < text->size(); ++line) {
    const size_t end = std::min(text->find('\n', from), text->size());
    const std::string row = Trimmed(text->substr(from, end - from));
    from = end + 1;
    if (row.empty()) continue;
    std::vector<std::string> cells = Split(row, ',');
    if (axis.paths.empty()) {
      axis.paths = std::move(cells);
      continue;
    }
    if (cells.size() != axis.paths.size()) {
      return Fail(Error{fmt::format("{} values; expected {}, one for each path of the first line",
                                    cells.size(), axis.paths.size()),
                        {path, line + 1}});
    }
    axis.rows.push_back(std::move(cells));
  }
  if (axis.rows.empty()) {
    return Fail(
        Error{"expected a line of paths, such as 'parallel.pipeline,parallel.data', and a "
              "line of values for each point",
              {path}});
  }
  if (auto ok = CheckAxis(path, axis); !ok) return Fail(ok.error());
  return axis;
}

}  // namespace

Result<Axis> ParseGrid(const std::string& text) {
  auto axis = OnePath("--grid", text);
  if (!axis) return axis;
  if (auto ok = CheckAxis("--grid " + text, *axis); !ok) return Fail(ok.error());
  return axis;
}

Result<Axis> ParseList(const std::string& text) {
  Axis axis;
  for (const std::string& part : Split(text, ';')) {
    auto one = OnePath("--list", part);
    if (!one) return one;
    if (axis.paths.empty()) axis.rows.resize(one->rows.size());
    if (one->rows.size() != axis.rows.size()) {
      return Fail(fmt::format("--list '{}': {} has {} values and {} has {}; expected as many", text,
                              one->paths.front(), one->rows.size(), axis.paths.front(),
                              axis.rows.size()));
    }
    axis.paths.push_back(one->paths.front());
    for (size_t i = 0; i < axis.rows.size(); ++i) axis.rows[i].push_back(one->rows[i].front());
  }
  if (auto ok = CheckAxis("--list " + text, axis); !ok) return Fail(ok.error());
  return axis;
}

Result<Axis> ReadList(const std::string& text) {
  return text.ends_with(".csv") && text.find('=') == std::string::npos ? ReadCsv(text)
                                                                       : ParseList(text);
}

Result<Grid> Grid::Make(std::vector<Axis> axes) {
  Grid grid;
  std::vector<std::string> seen;
  for (const Axis& axis : axes) {
    for (const std::string& path : axis.paths) {
      for (const std::string& other : seen) {
        if (!Within(other, path) && !Within(path, other)) continue;
        return Fail(other == path ? fmt::format("{} is swept twice; expected one axis for it", path)
                                  : fmt::format("{} is part of {}; expected one of them",
                                                std::max(path, other), std::min(path, other)));
      }
      seen.push_back(path);
    }
    const auto points = static_cast<int64_t>(axis.rows.size());
    if (grid.size_ > kMostPoints / points) {
      return Fail(fmt::format("the axes make more than {} points", kMostPoints));
    }
    grid.size_ *= points;
  }
  grid.axes_ = std::move(axes);
  return grid;
}

std::vector<Override> Grid::At(int64_t index) const {
  std::vector<Override> overrides;
  int64_t block = size_;
  for (const Axis& axis : axes_) {
    const auto points = static_cast<int64_t>(axis.rows.size());
    block /= points;
    const auto& row = axis.rows[static_cast<size_t>(index / block % points)];
    for (size_t i = 0; i < axis.paths.size(); ++i) overrides.emplace_back(axis.paths[i], row[i]);
  }
  return overrides;
}

}  // namespace pipescope::sweep
