#include "reports/points_data.h"

namespace pipescope::reports {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kColumns[] = {"values",
                                    "status",
                                    "reason",
                                    "front",
                                    "rank",
                                    "schedule",
                                    "step_time_s",
                                    "tokens_per_second",
                                    "mfu",
                                    "bubble_rate",
                                    "memory_peak_bytes",
                                    "memory_limit_bytes",
                                    "gpus",
                                    "bound_by"};

}  // namespace

PointColumns::PointColumns(const std::vector<std::string>& fields)
    : fields_(fields), points_(Json::object()), reasons_(Json::array()) {
  for (const char* name : kColumns) points_[name] = Json::array();
}

void PointColumns::Add(const std::vector<std::string>& values, const StepFigures& f, bool front,
                       int rank, const std::string& reason) {
  const bool refused = !reason.empty();
  int place = -1;
  if (refused) {
    const auto [at, is_new] = known_.emplace(reason, static_cast<int>(reasons_.size()));
    if (is_new) reasons_.push_back(reason);
    place = at->second;
  }
  points_["values"].push_back(values);
  points_["status"].push_back(refused ? kRefused : f.fits ? kFits : kDoesNotFit);
  points_["reason"].push_back(place);
  points_["front"].push_back(front ? 1 : 0);
  points_["rank"].push_back(rank);
  points_["schedule"].push_back(f.schedule);
  const auto add = [&](const char* name, Json value) {
    points_[name].push_back(refused ? Json() : std::move(value));
  };
  add("step_time_s", f.step_time.seconds());
  add("tokens_per_second", f.tokens_per_second);
  add("mfu", f.mfu_causal);
  add("bubble_rate", f.bubble_rate);
  add("memory_peak_bytes", f.memory_peak.value());
  add("memory_limit_bytes", f.memory_limit.value());
  add("gpus", f.gpus);
  add("bound_by", f.bound_by);
}

Json PointColumns::Take() {
  return {{"fields", std::move(fields_)},
          {"points", std::move(points_)},
          {"reasons", std::move(reasons_)}};
}

Json PointTile(const std::string& label, const std::string& value, const std::string& note) {
  return {{"label", label}, {"value", value}, {"note", note}};
}

}  // namespace pipescope::reports
