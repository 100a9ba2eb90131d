#include "reports/baseline_data.h"

#include <fmt/format.h>

#include <algorithm>

namespace pipescope::reports {
namespace {

using Json = nlohmann::ordered_json;

// The member at a path like "/bubble/makespan_rate", nullptr where there is none.
const Json* At(const Json& value, const char* path) {
  const Json::json_pointer pointer(path);
  return value.contains(pointer) ? &value.at(pointer) : nullptr;
}

const Json* NumberAt(const Json& value, const char* path) {
  const Json* found = At(value, path);
  return found != nullptr && found->is_number() ? found : nullptr;
}

std::string TextAt(const Json& value, const char* path) {
  const Json* found = At(value, path);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

// Numbers only: what else a file holds there is left behind.
Json Breakdown(const Json& result) {
  Json parts = Json::object();
  const Json* all = At(result, "/breakdown_s");
  if (all == nullptr || !all->is_object()) return parts;
  for (const auto& [name, seconds] : all->items()) {
    if (seconds.is_number()) parts[name] = seconds;
  }
  return parts;
}

// Of the fullest rank; null of a trace, which says nothing of memory.
Json PeakBytes(const Json& result) {
  const Json* ranks = At(result, "/memory_bytes");
  if (ranks == nullptr || !ranks->is_array() || ranks->empty()) return Json();
  double peak = 0;
  for (const Json& rank : *ranks) {
    const Json* total = NumberAt(rank, "/total_peak");
    if (total != nullptr) peak = std::max(peak, total->get<double>());
  }
  return peak;
}

}  // namespace

Result<Json> BaselineData(const Json& stored, const std::string& file) {
  const auto fail = [&](const std::string& message) { return Fail(Error{message, {file}}); };
  const Json* results = At(stored, "/results");
  if (results == nullptr || !results->is_array()) return fail("report.results: expected a list");
  Json list = Json::array();
  for (size_t i = 0; i < results->size(); ++i) {
    const Json& result = (*results)[i];
    const auto place = [i](const char* name) {
      return fmt::format("report.results[{}].{}", i, name);
    };
    const std::string label = TextAt(result, "/label");
    if (label.empty()) return fail(place("label") + ": expected a text");
    const Json* step = NumberAt(result, "/step_time_s");
    if (step == nullptr || !(step->get<double>() > 0)) {
      return fail(place("step_time_s") + ": expected a number above 0");
    }
    const Json* bubble = NumberAt(result, "/bubble/makespan_rate");
    if (bubble == nullptr) return fail(place("bubble.makespan_rate") + ": expected a number");
    list.push_back({{"label", label},
                    {"step_time_s", *step},
                    {"bubble_rate", *bubble},
                    {"peak_bytes", PeakBytes(result)},
                    {"breakdown_s", Breakdown(result)}});
  }
  return Json{{"file", file},
              {"version", TextAt(stored, "/version")},
              {"command", TextAt(stored, "/command")},
              {"results", std::move(list)}};
}

}  // namespace pipescope::reports
