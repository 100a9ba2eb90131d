#include "reports/pipeline_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sim/base/quantity.h"
#include "sim/timeline/bubbles.h"

namespace pipescope::reports {
namespace {

using Json = nlohmann::ordered_json;
using timeline::Bubbles;

Duration ClockAhead(const trace::Alignment& a, size_t rank) {
  return Duration(a.clock_ns[rank]) * 1000;  // stops at the clock's end
}

std::string FileName(const trace::Trace& trace) {
  std::string name = std::filesystem::path(trace.file).filename().string();
  return name.size() > 36 ? name.substr(0, 33) + "..." : name;
}

bool AllNamed(const trace::PipelineTrace& p) {
  return std::all_of(p.named.begin(), p.named.end(), [](int64_t n) { return n > 0; });
}

int64_t Actions(const trace::PipelineTrace& p, size_t rank) {
  return p.timeline.rank_actions[rank].second - p.timeline.rank_actions[rank].first;
}

std::string Causes(const Bubbles& bubbles) {
  std::string text = "\nBubble by cause, all ranks:";
  for (int c = 0; c < timeline::kGapCauses; ++c) {
    text += fmt::format("{} {} {}", c == 0 ? "" : ",", Name(static_cast<timeline::GapCause>(c)),
                        Format(bubbles.by_cause[static_cast<size_t>(c)]));
  }
  return text + "\n";
}

}  // namespace

std::string PipelineText(const std::vector<trace::Trace>& traces, const trace::Alignment& a,
                         const trace::PipelineTrace& p) {
  const Bubbles bubbles = timeline::FindBubbles(p.timeline);
  std::string text = fmt::format(
      "{} ranks: {} from the first operation to the last action's end, {} of it bubble\n"
      "clocks compared by {} operations that ranks have in common; off by {} in the median\n\n",
      traces.size(), Format(p.timeline.pipeline_end), FormatPercent(bubbles.makespan_rate),
      a.common, Format(a.error));
  text +=
      "trace                                 rank   clock ahead  actions  computing       busy"
      "     bubble   share\n";
  for (size_t r = 0; r < traces.size(); ++r) {
    const std::string rank = traces[r].rank >= 0 ? fmt::format("{}", traces[r].rank) : "-";
    text +=
        fmt::format("{:<36}  {:>4}  {:>12}  {:>7}  {:>9}  {:>9}  {:>9}  {:>6}\n",
                    FileName(traces[r]), rank, Format(ClockAhead(a, r)), Actions(p, r),
                    Format(p.computing[r]), Format(bubbles.busy[r]), Format(bubbles.per_rank[r]),
                    FormatPercent(p.timeline.pipeline_end == Duration()
                                      ? 0
                                      : bubbles.per_rank[r] / p.timeline.pipeline_end));
  }
  if (AllNamed(p)) return text + Causes(bubbles);
  return text +
         "\nNot every trace names its actions (\"3F0\"): there, stretches of computation "
         "count as such.\n";
}

std::string PipelineJson(const std::vector<trace::Trace>& traces, const trace::Alignment& a,
                         const trace::PipelineTrace& p) {
  const Bubbles bubbles = timeline::FindBubbles(p.timeline);
  Json ranks = Json::array(), per_rank = Json::array(), causes = Json::object();
  for (size_t r = 0; r < traces.size(); ++r) {
    per_rank.push_back(bubbles.per_rank[r].seconds());
    ranks.push_back({{"file", traces[r].file},
                     {"rank", traces[r].rank >= 0 ? Json(traces[r].rank) : Json()},
                     {"clock_ahead_s", ClockAhead(a, r).seconds()},
                     {"actions", Actions(p, r)},
                     {"named_actions", p.named[r]},
                     {"computing_s", p.computing[r].seconds()},
                     {"busy_s", bubbles.busy[r].seconds()},
                     {"bubble_s", bubbles.per_rank[r].seconds()}});
  }
  for (int c = 0; c < timeline::kGapCauses; ++c) {
    causes[Name(static_cast<timeline::GapCause>(c))] =
        bubbles.by_cause[static_cast<size_t>(c)].seconds();
  }
  const Json json = {
      {"common_operations", a.common},
      {"alignment_error_s", a.error.seconds()},
      {"span_s", p.timeline.pipeline_end.seconds()},
      {"bubble", {{"makespan_rate", bubbles.makespan_rate}, {"per_rank_s", per_rank}}},
      {"bubble_by_cause_s", AllNamed(p) ? causes : Json()},
      {"ranks", ranks}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pipescope::reports
