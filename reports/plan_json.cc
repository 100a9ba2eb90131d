#include "reports/plan_json.h"

#include <nlohmann/json.hpp>

#include "reports/plan_text.h"

namespace pipescope::reports {
namespace {

using Json = nlohmann::json;  // its objects are sorted by key

Json EntryJson(const PlanEntry& e) {
  const PlanChoice& c = e.choice;
  const StepFigures& f = e.figures;
  Json set = Json::object();
  for (const auto& [path, value] : c.Overrides()) set[path] = value;
  return {{"choice",
           {{"gpus", c.gpus},
            {"pipeline", c.pipeline},
            {"data", c.data},
            {"tensor", c.tensor},
            {"expert", c.expert},
            {"micro_batch_size", c.micro_batch},
            {"recompute", c.recompute},
            {"schedule", c.schedule},
            {"chunks", c.chunks},
            {"sms", c.sms}}},
          {"set", std::move(set)},
          {"step_time_s", f.step_time.seconds()},
          {"bound_s", e.bound.seconds()},
          {"tokens_per_second", f.tokens_per_second},
          {"mfu", f.mfu_causal},
          {"bubble_rate", f.bubble_rate},
          {"bound_by", f.bound_by},
          {"memory_bytes", {{"peak", f.memory_peak.value()}, {"limit", f.memory_limit.value()}}}};
}

Json EntriesJson(const std::vector<PlanEntry>& entries) {
  Json list = Json::array();
  for (const PlanEntry& entry : entries) list.push_back(EntryJson(entry));
  return list;
}

}  // namespace

std::string PlanJson(const PlanReport& r) {
  const PlanCounts& c = r.counts;
  const Json json = {{"experiment", r.experiment},
                     {"model", r.model},
                     {"cluster", r.cluster},
                     {"limit_bytes", r.limit.value()},
                     {"counts",
                      {{"considered", c.considered},
                       {"impossible", c.impossible},
                       {"over_memory_by_parameters", c.parameters},
                       {"over_memory", c.memory},
                       {"left_out_by_bounds", c.bound},
                       {"simulated", c.simulated},
                       {"refused", c.refused}}},
                     {"why", WhyFirst(r)},
                     {"best", EntriesJson(r.best)},
                     {"front", EntriesJson(r.front)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pipescope::reports
