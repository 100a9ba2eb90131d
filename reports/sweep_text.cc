#include "reports/sweep_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "sim/base/quantity.h"

namespace pipescope::reports {
namespace {

constexpr size_t kMostRows = 20;
constexpr size_t kMostReasons = 10;

bool Usable(const SweepPoint& point) { return point.error.empty() && point.figures.fits; }

// Fastest first; what does not fit comes after what does.
std::vector<size_t> InOrder(const std::vector<SweepPoint>& points) {
  std::vector<size_t> order;
  for (size_t i = 0; i < points.size(); ++i) {
    if (points[i].error.empty()) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    if (Usable(points[a]) != Usable(points[b])) return Usable(points[a]);
    return points[a].figures.step_time < points[b].figures.step_time;
  });
  return order;
}

std::string OverridesText(const SweepPoint& point) {
  std::string text;
  for (const auto& [path, value] : point.overrides) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", path, value);
  }
  return text.empty() ? "as it is" : text;
}

std::string Row(const SweepPoint& point, bool on_front) {
  const StepFigures& f = point.figures;
  return fmt::format("{:>7} {:>10} {:>11} {:>6.1f} % {:>6.1f} % {:>12} {} {}{}\n", point.index,
                     Format(f.step_time), FormatCount(f.tokens_per_second), f.mfu_causal * 100,
                     f.bubble_rate * 100, FormatGiB(f.memory_peak), on_front ? '*' : ' ',
                     OverridesText(point), f.fits ? "" : "  (does not fit)");
}

std::string Reasons(const std::vector<SweepPoint>& points) {
  std::map<std::string, std::pair<int64_t, int64_t>> reasons;  // text to count and first point
  for (const SweepPoint& point : points) {
    if (point.error.empty()) continue;
    ++reasons.try_emplace(point.error, 0, point.index).first->second.first;
  }
  if (reasons.empty()) return "";
  std::vector<std::pair<std::string, std::pair<int64_t, int64_t>>> list(reasons.begin(),
                                                                        reasons.end());
  std::stable_sort(list.begin(), list.end(),
                   [](const auto& a, const auto& b) { return a.second.first > b.second.first; });
  std::string text = "\nRefused\n";
  for (size_t i = 0; i < std::min(list.size(), kMostReasons); ++i) {
    text += fmt::format("{:>7} such as point {}: {}\n", list[i].second.first, list[i].second.second,
                        list[i].first);
  }
  if (list.size() > kMostReasons) {
    text += fmt::format("and {} reasons more\n", list.size() - kMostReasons);
  }
  return text;
}

}  // namespace

std::vector<size_t> ParetoFront(const std::vector<SweepPoint>& points) {
  std::vector<size_t> order;
  for (size_t i = 0; i < points.size(); ++i) {
    if (Usable(points[i])) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const StepFigures &x = points[a].figures, &y = points[b].figures;
    if (x.step_time != y.step_time) return x.step_time < y.step_time;
    return x.memory_peak < y.memory_peak;
  });
  std::vector<size_t> front;
  for (const size_t i : order) {
    if (!front.empty() &&
        points[i].figures.memory_peak >= points[front.back()].figures.memory_peak) {
      continue;
    }
    front.push_back(i);
  }
  return front;
}

std::string SweepText(const std::vector<SweepPoint>& points, const std::string& command) {
  const std::vector<size_t> order = InOrder(points);
  const std::vector<size_t> front = ParetoFront(points);
  const std::set<size_t> on_front(front.begin(), front.end());
  const auto usable = std::count_if(points.begin(), points.end(), Usable);
  std::string text =
      fmt::format("{} points: {} fit, {} do not fit in memory, {} refused\n", points.size(), usable,
                  order.size() - static_cast<size_t>(usable), points.size() - order.size());
  if (!order.empty()) {
    text += fmt::format("\n{:>7} {:>10} {:>11} {:>8} {:>8} {:>12}\n", "point", "step", "tokens/s",
                        "MFU", "bubble", "peak memory");
    for (size_t i = 0; i < std::min(order.size(), kMostRows); ++i) {
      text += Row(points[order[i]], on_front.contains(order[i]));
    }
    if (order.size() > kMostRows) {
      text += fmt::format("and {} points more; -o FILE or --format json gives all\n",
                          order.size() - kMostRows);
    }
    text +=
        fmt::format("*: on the front of step time and memory, {} points in all\n", front.size());
  }
  return text + Reasons(points) + "\nReproduce: " + command + "\n";
}

}  // namespace pipescope::reports
