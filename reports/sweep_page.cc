#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "reports/html.h"
#include "reports/points_data.h"
#include "reports/points_page.h"
#include "reports/sweep_text.h"
#include "sim/base/quantity.h"

namespace pipescope::reports {
namespace {

using Json = nlohmann::ordered_json;

// In the order in which the points name them.
std::vector<std::string> FieldsOf(const std::vector<SweepPoint>& points) {
  std::vector<std::string> fields;
  for (const SweepPoint& point : points) {
    for (const auto& [path, value] : point.overrides) {
      if (std::find(fields.begin(), fields.end(), path) == fields.end()) fields.push_back(path);
    }
  }
  return fields;
}

std::vector<std::string> ValuesOf(const SweepPoint& point, const std::vector<std::string>& fields) {
  std::vector<std::string> values(fields.size());
  for (const auto& [path, value] : point.overrides) {
    const auto at = std::find(fields.begin(), fields.end(), path);
    values[static_cast<size_t>(at - fields.begin())] = value;
  }
  return values;
}

struct Tally {
  size_t fit = 0, over = 0, refused = 0;
};

Tally TallyOf(const std::vector<SweepPoint>& points) {
  Tally tally;
  for (const SweepPoint& point : points) {
    ++(!point.error.empty() ? tally.refused : point.figures.fits ? tally.fit : tally.over);
  }
  return tally;
}

std::string Words(const SweepPoint& point) {
  std::string text;
  for (const auto& [path, value] : point.overrides) {
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", path, value);
  }
  return text.empty() ? "the experiment as it is" : text;
}

std::string VerdictOf(const std::vector<SweepPoint>& points, const std::vector<size_t>& front) {
  const Tally tally = TallyOf(points);
  std::string text = fmt::format("{} points: {} fit, {} do not fit in memory, {} are refused.",
                                 points.size(), tally.fit, tally.over, tally.refused);
  if (front.empty()) return text + " None is a plan to run.";
  const SweepPoint& best = points[front.front()];
  return fmt::format("Fastest: {} a step with {}; MFU {}, {} a GPU. {}",
                     Format(best.figures.step_time), Words(best),
                     FormatPercent(best.figures.mfu_causal), FormatGiB(best.figures.memory_peak),
                     text);
}

Json TilesOf(const std::vector<SweepPoint>& points, const std::vector<size_t>& front) {
  const Tally tally = TallyOf(points);
  Json tiles = Json::array();
  if (!front.empty()) {
    const StepFigures &fast = points[front.front()].figures, &small = points[front.back()].figures;
    tiles.push_back(PointTile("Fastest step", Format(fast.step_time), fast.schedule));
    tiles.push_back(PointTile("Its throughput", FormatCount(fast.tokens_per_second) + " tokens/s",
                              FormatCount(fast.tokens_per_second * 86400) + " tokens a day"));
    tiles.push_back(
        PointTile("Its MFU", FormatPercent(fast.mfu_causal), "causal, of the BF16 peak"));
    tiles.push_back(PointTile("Its peak memory", FormatGiB(fast.memory_peak),
                              "of " + FormatGiB(fast.memory_limit)));
    tiles.push_back(PointTile("Least memory", FormatGiB(small.memory_peak),
                              Format(small.step_time) + " a step, " + small.schedule));
  }
  tiles.push_back(PointTile("Points", std::to_string(points.size()),
                            fmt::format("{} fit, {} do not, {} refused, {} on the front", tally.fit,
                                        tally.over, tally.refused, front.size())));
  return tiles;
}

}  // namespace

std::string SweepPage(const std::vector<SweepPoint>& points, const PointsFrame& frame) {
  const std::vector<std::string> fields = FieldsOf(points);
  const std::vector<size_t> front = ParetoFront(points);
  const std::set<size_t> on_front(front.begin(), front.end());
  PointColumns columns(fields);
  for (size_t i = 0; i < points.size(); ++i) {
    columns.Add(ValuesOf(points[i], fields), points[i].figures, on_front.contains(i),
                static_cast<int>(i) + 1, points[i].error);
  }
  Json data = {
      {"format", "pipescope-points/1"},
      {"kind", "sweep"},
      {"title", "Sweep of " + frame.experiment},
      {"subtitle", fmt::format("{} fields varied: {}", fields.size(), fmt::join(fields, ", "))},
      {"verdict", VerdictOf(points, front)},
      {"highlights", TilesOf(points, front)},
      {"command", frame.command},
      {"experiment", frame.experiment},
      {"version", frame.version}};
  data.update(columns.Take());
  return PointsHtml(data);
}

}  // namespace pipescope::reports
