#include "reports/validation_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/base/quantity.h"

namespace pipescope::reports {
namespace {

using Json = nlohmann::ordered_json;

Json Tile(const char* label, const std::string& value, const std::string& note) {
  return {{"label", label}, {"value", value}, {"note", note}};
}

}  // namespace

Json ValidationData(const std::vector<ValidationRow>& rows) {
  Json list = Json::array();
  for (const ValidationRow& row : rows) {
    Json partings = Json::array();
    for (const ValidationRow::Parting& p : row.partings) {
      partings.push_back({{"where", p.where}, {"late_s", p.late.seconds()}, {"why", p.why}});
    }
    list.push_back({{"schedule", row.schedule},
                    {"predicted_s", row.predicted.seconds()},
                    {"measured_s", row.measured.seconds()},
                    {"error", row.error},
                    {"noise", row.noise},
                    {"predicted_noise", row.predicted_noise},
                    {"others", row.others},
                    {"last_rank", row.last_rank},
                    {"longer_s", row.longer.seconds()},
                    {"waited_s", row.waited.seconds()},
                    {"after_s", row.after.seconds()},
                    {"partings", std::move(partings)}});
  }
  return list;
}

Json ValidationHighlights(const std::vector<ValidationRow>& rows) {
  const auto off = [](const ValidationRow& a, const ValidationRow& b) {
    return std::fabs(a.error) < std::fabs(b.error);
  };
  double sum = 0, noise = 0;
  for (const ValidationRow& row : rows) {
    sum += std::fabs(row.error);
    noise = std::max({noise, row.noise, row.predicted_noise});
  }
  const ValidationRow& worst = *std::max_element(rows.begin(), rows.end(), off);
  return {Tile("Mean error", FormatPercent(sum / static_cast<double>(rows.size())),
               fmt::format("of the step, in magnitude, over {} runs", rows.size())),
          Tile("Largest error", fmt::format("{:+.1f} %", 100 * worst.error), worst.schedule),
          Tile("Noise", FormatPercent(noise), "of runs and predictions, at most")};
}

}  // namespace pipescope::reports
