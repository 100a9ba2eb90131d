// The data block of the page of many steps (points_page.h), out of its parts.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/result/step_figures.h"

namespace pipescope::reports {

class PointColumns {
 public:
  enum Status { kFits = 0, kDoesNotFit = 1, kRefused = 2 };

  explicit PointColumns(const std::vector<std::string>& fields);

  // `values` beside the fields; no figures where it was refused, which `reason` then tells.
  void Add(const std::vector<std::string>& values, const StepFigures& figures, bool front, int rank,
           const std::string& reason = {});
  // {fields, points, reasons}
  nlohmann::ordered_json Take();

 private:
  nlohmann::ordered_json fields_, points_, reasons_;
  std::map<std::string, int> known_;  // reason to its place
};

nlohmann::ordered_json PointTile(const std::string& label, const std::string& value,
                                 const std::string& note);

}  // namespace pipescope::reports
