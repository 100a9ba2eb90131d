#include "reports/schedule_json.h"

#include <nlohmann/json.hpp>

#include "schedules/token.h"

namespace pipescope::reports {
namespace {

using nlohmann::ordered_json;
using schedules::CostList;
using schedules::Costs;

ordered_json OneOrList(const CostList& list) {
  if (list.size() == 1) return list.front();
  return list;
}

ordered_json BackwardJson(const Costs& costs, int stages) {
  if (!costs.backward.empty()) return OneOrList(costs.backward);
  if (costs.input_grad.size() == 1 && costs.weight_grad.size() == 1) return costs.Backward(0);
  ordered_json list = ordered_json::array();
  for (int s = 0; s < stages; ++s) list.push_back(costs.Backward(s));
  return list;
}

ordered_json OverlappedJson(const Costs& costs) {
  if (!costs.overlapped.empty()) return OneOrList(costs.overlapped);
  if (!costs.Uniform()) return nullptr;
  return costs.Overlapped(0, 0);
}

// The orders are most of the text, so they are written straight into it: a line a rank.
std::string ActionsText(const schedules::Schedule& schedule) {
  std::string text = "[";
  for (size_t r = 0; r < schedule.actions.size(); ++r) {
    text += r == 0 ? "\n    [" : ",\n    [";
    for (size_t i = 0; i < schedule.actions[r].size(); ++i) {
      text += i == 0 ? "\"" : ", \"";
      AppendToken(schedule.actions[r][i], text);
      text += '"';
    }
    text += ']';
  }
  return text + "\n  ]";
}

}  // namespace

std::string ScheduleJson(const schedules::Schedule& schedule, const schedules::Prepared& prepared,
                         const Costs& costs, const schedules::Timing& timing) {
  ordered_json json;
  json["schedule"] = schedule.name;
  json["ranks"] = schedule.ranks;
  json["stages"] = schedule.stages;
  json["microbatches"] = schedule.microbatches;
  json["costs"] = {{"F", OneOrList(costs.forward)},     {"I", OneOrList(costs.input_grad)},
                   {"W", OneOrList(costs.weight_grad)}, {"B", BackwardJson(costs, schedule.stages)},
                   {"FB", OverlappedJson(costs)},       {"comm", costs.comm}};
  json["makespan"] = timing.makespan;
  json["span"] = timing.span;
  json["busy"] = timing.busy;
  json["bubble"] = {{"per_rank", timing.bubble},
                    {"makespan_rate", timing.makespan_rate},
                    {"span_rate", timing.span_rate}};
  json["peak_activations"] = prepared.peak_activations;
  std::string text = json.dump(2);
  text.resize(text.size() - 2);  // "\n}"
  return text + ",\n  \"actions\": " + ActionsText(schedule) + "\n}\n";
}

}  // namespace pipescope::reports
