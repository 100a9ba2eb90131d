#include "reports/report_data.h"

#include <fmt/format.h>

#include "reports/fabric_data.h"
#include "reports/step_parts.h"
#include "reports/timeline_data.h"
#include "reports/validation_data.h"
#include "reports/verdict.h"
#include "sim/base/quantity.h"

namespace pipescope::reports {
namespace {

using Json = nlohmann::ordered_json;

const char* Explain(timeline::GapCause cause) {
  switch (cause) {
    case timeline::GapCause::kWarmUp:
      return "Until the rank's first backward work: the pipeline fills.";
    case timeline::GapCause::kDrain:
      return "After the rank's last forward work: the pipeline empties.";
    case timeline::GapCause::kDependency:
      return "In between: the action waited for had not ended on its rank.";
    case timeline::GapCause::kCommunication:
      return "In between: the message waited for was on its way.";
    case timeline::GapCause::kImbalance:
      return "In between: a rank with more work sets the pace.";
  }
  return "";
}

Json AttributionData(const StepResult& r) {
  Duration all;
  for (const Duration d : r.bubbles.by_cause) all += d;
  Json list = Json::array();
  for (size_t c = 0; c < r.bubbles.by_cause.size(); ++c) {
    const auto cause = static_cast<timeline::GapCause>(c);
    list.push_back({{"kind", timeline::Name(cause)},
                    {"seconds", r.bubbles.by_cause[c].seconds() / r.timeline.ranks},
                    {"share", all == Duration() ? 0.0 : r.bubbles.by_cause[c] / all},
                    {"explain", Explain(cause)}});
  }
  return list;
}

Json CommunicationData(const StepResult& r) {
  const timeline::Overlap& whole = r.overlap.whole;
  const double ranks = r.timeline.ranks;
  return {{"compute_to_communication", r.overlap.steady.compute_to_communication()},
          {"hidden_share", r.overlap.steady.hidden_share()},
          {"busy_s", whole.communication_busy.seconds() / ranks},
          {"exposed_s", r.mean_breakdown().exposed_communication.seconds()}};
}

Json ResultData(const StepResult& r) {
  Json per_rank = Json::array();
  for (const Duration d : r.bubbles.per_rank) per_rank.push_back(d.seconds());
  return {{"schedule", r.schedule},
          {"label", Label(r.schedule)},
          {"step_time_s", r.step_time.seconds()},
          {"tokens_per_second", r.traced ? Json() : Json(r.tokens_per_second)},
          {"tokens_per_day", r.traced ? Json() : Json(r.tokens_per_day)},
          {"mfu", {{"causal", r.mfu_causal}, {"non_causal", r.mfu_non_causal}}},
          {"bubble", {{"makespan_rate", r.bubbles.makespan_rate}, {"per_rank_s", per_rank}}},
          {"breakdown_s", BreakdownJson(r.mean_breakdown())},
          {"attribution", AttributionData(r)},
          {"communication", CommunicationData(r)},
          {"memory_bytes", MemoryJson(r)},
          {"fits", r.fits},
          {"bound_by", r.bound_by},
          {"links", LinksData(r.links)},
          {"timeline", TimelineData(r)}};
}

Json Tile(const char* label, std::string value, std::string note) {
  return {{"label", label}, {"value", std::move(value)}, {"note", std::move(note)}};
}

Json TraceHighlights(const StepResult& r) {
  const timeline::Overlap& o = r.overlap.whole;
  const timeline::Breakdown b = r.mean_breakdown();
  const double ranks = r.timeline.ranks;
  return {
      Tile("Time", Format(r.step_time), "first operation to the last one's end"),
      Tile("Computation", FormatPercent(o.compute_busy.seconds() / ranks / r.step_time.seconds()),
           "of the time, mean over ranks"),
      Tile("Bubble", FormatPercent(r.bubbles.makespan_rate),
           fmt::format("{} a rank", Format(b.bubble))),
      Tile("Hidden communication", FormatPercent(o.hidden_share()),
           fmt::format("of {} a rank", Format(Seconds(o.communication_busy.seconds() / ranks))))};
}

Json Highlights(const StepResult& best) {
  if (best.traced) return TraceHighlights(best);
  const RankMemory& m = best.memory[FullestRank(best)];
  const timeline::Breakdown b = best.mean_breakdown();
  return {
      Tile("Step time", Format(best.step_time),
           Label(best.schedule) + (best.costs.spread > Duration()
                                       ? ", +- " + Format(best.costs.spread)
                                       : std::string())),
      Tile("Throughput", FormatCount(best.tokens_per_second) + " tokens/s",
           FormatCount(best.tokens_per_day) + " tokens a day"),
      Tile("MFU", FormatPercent(best.mfu_causal),
           "causal, of the BF16 peak; non-causal " + FormatPercent(best.mfu_non_causal)),
      Tile("Bubble", FormatPercent(best.bubbles.makespan_rate),
           fmt::format("{} a rank, of the pipeline's {}", Format(b.bubble),
                       Format(best.timeline.pipeline_end))),
      Tile("Hidden communication", FormatPercent(best.overlap.steady.hidden_share()),
           Operations(best) ? fmt::format("steady part; computation to communication {:.2f} : 1",
                                          best.overlap.steady.compute_to_communication())
                            : "of pipeline messages, in the steady part"),
      Tile("Peak memory", FormatGiB(m.total_peak),
           fmt::format("rank {}, of {}", FullestRank(best), FormatGiB(m.limit))),
  };
}

}  // namespace

Json ReportData(const std::vector<StepResult>& results, const ReportFrame& frame) {
  const StepResult& best = results[Best(results)];
  Json list = Json::array();
  for (const StepResult& r : results) list.push_back(ResultData(r));
  return {
      {"format", "pipescope-report/1"},
      {"title", frame.title},
      {"subtitle", frame.subtitle.empty() ? best.model + " on " + best.cluster + "; " + best.plan
                                          : frame.subtitle},
      {"command", frame.command},
      {"version", frame.version},
      {"verdict", frame.verdict.empty() ? CompareVerdict(results) : frame.verdict},
      {"highlights",
       frame.validation.empty() ? Highlights(best) : ValidationHighlights(frame.validation)},
      {"validation", ValidationData(frame.validation)},
      {"baseline", frame.baseline},
      {"fabric", frame.fabric},
      {"sensitivities", SensitivitiesJson(best)},
      {"assumptions", AssumptionsJson(best.assumptions)},
      {"results", std::move(list)}};
}

}  // namespace pipescope::reports
