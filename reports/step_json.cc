#include "reports/step_json.h"

#include "reports/step_parts.h"
#include "sim/base/result.h"
#include "sim/timeline/critical_path.h"

namespace pipescope::reports {
namespace {

using Json = nlohmann::ordered_json;

Json ActionTimesJson(const timeline::ActionTimes& a) {
  return {{"forward", a.forward.seconds()},
          {"backward_input", a.backward_input.seconds()},
          {"backward_weight", a.backward_weight.seconds()},
          {"backward", a.backward.seconds()},
          {"overlapped", a.overlapped.seconds()}};
}

Json MeanActionsJson(const StepResult& r) {
  Json json = ActionTimesJson(timeline::Mean(r.action_times));
  json["step_end"] = (r.timeline.end - r.timeline.pipeline_end).seconds();
  return json;
}

Json OverlapJson(const timeline::Overlap& o) {
  return {{"compute_busy_s", o.compute_busy.seconds()},
          {"communication_busy_s", o.communication_busy.seconds()},
          {"communication_hidden_s", o.communication_hidden.seconds()},
          {"messages_s", o.message_time.seconds()},
          {"messages_hidden_s", o.message_hidden.seconds()},
          {"hidden_share", o.hidden_share()},
          {"compute_to_communication", o.compute_to_communication()}};
}

Json BubbleJson(const StepResult& r) {
  Json by_cause = Json::object();
  for (size_t c = 0; c < r.bubbles.by_cause.size(); ++c) {
    by_cause[timeline::Name(static_cast<timeline::GapCause>(c))] =
        r.bubbles.by_cause[c].seconds() / r.timeline.ranks;
  }
  Json per_rank = Json::array();
  for (const Duration d : r.bubbles.per_rank) per_rank.push_back(d.seconds());
  return {{"makespan_rate", r.bubbles.makespan_rate},
          {"per_rank_s", std::move(per_rank)},
          {"mean_by_cause_s", std::move(by_cause)}};
}

Json RanksJson(const StepResult& r) {
  Json ranks = Json::array();
  for (size_t i = 0; i < r.breakdown.size(); ++i) {
    ranks.push_back({{"rank", i},
                     {"busy_s", r.bubbles.busy[i].seconds()},
                     {"bubble_s", r.bubbles.per_rank[i].seconds()},
                     {"breakdown_s", BreakdownJson(r.breakdown[i])},
                     {"actions_s", ActionTimesJson(r.action_times[i])},
                     {"memory_peak_at_s", r.memory[i].peak_time.seconds()}});
  }
  return ranks;
}

Json CriticalPathJson(const StepResult& r) {
  Json list = Json::array();
  for (const timeline::PathShare& s : timeline::SharesOf(r.timeline, r.critical_path)) {
    list.push_back({{"operation", r.timeline.labels[static_cast<size_t>(s.label)].name},
                    {"count", s.count},
                    {"time_s", s.time.seconds()}});
  }
  return list;
}

Json CostsJson(const CostShares& c) {
  Json guessed = Json::array();
  for (const GuessedCost& guess : c.guessed) {
    guessed.push_back(
        {{"what", guess.what}, {"from", costs::NameOf(guess.origin)}, {"share", guess.share}});
  }
  Json shares = Json::object();
  for (size_t i = 0; i < c.by_origin.size(); ++i) {
    shares[costs::NameOf(static_cast<costs::Origin>(i))] = c.by_origin[i];
  }
  return {{"step_spread_s", c.spread.seconds()},
          {"share", std::move(shares)},
          {"guessed", std::move(guessed)}};
}

Json ResultJson(const StepResult& r) {
  return {{"experiment", r.experiment},
          {"schedule", r.schedule},
          {"fidelity", r.fidelity},
          {"engine", r.engine},
          {"model", r.model},
          {"cluster", r.cluster},
          {"plan", r.plan},
          {"layout", r.layout},
          {"gpus", r.gpus},
          {"microbatches", r.microbatches},
          {"step_time_s", r.step_time.seconds()},
          {"pipeline_time_s", r.timeline.pipeline_end.seconds()},
          {"span_s", r.span.seconds()},
          {"costs", CostsJson(r.costs)},
          {"tokens_per_second", r.tokens_per_second},
          {"tokens_per_day", r.tokens_per_day},
          {"mfu", {{"causal", r.mfu_causal}, {"non_causal", r.mfu_non_causal}}},
          {"bubble", BubbleJson(r)},
          {"breakdown_s", BreakdownJson(r.mean_breakdown())},
          {"actions_s", MeanActionsJson(r)},
          {"overlap",
           {{"steady", OverlapJson(r.overlap.steady)}, {"step", OverlapJson(r.overlap.whole)}}},
          {"memory_bytes", MemoryJson(r)},
          {"fits_in_memory", r.fits},
          {"bound_by", r.bound_by},
          {"critical_path", CriticalPathJson(r)},
          {"ranks", RanksJson(r)},
          {"sensitivities", SensitivitiesJson(r)},
          {"assumptions", AssumptionsJson(r.assumptions)}};
}

// Names come from files: bytes that are no UTF-8 are replaced rather than thrown about.
std::string Dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string StepJson(const StepResult& result) { return Dump(ResultJson(result)); }

std::string CompareJson(const std::vector<StepResult>& results) {
  Json list = Json::array();
  for (const StepResult& r : results) list.push_back(ResultJson(r));
  return Dump({{"results", std::move(list)}});
}

std::string WithReport(const std::string& json, const Json& data) {
  PIPESCOPE_CHECK(json.ends_with("\n}\n"));
  return json.substr(0, json.size() - 3) +
         ",\n  \"report\": " + data.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n}\n";
}

}  // namespace pipescope::reports
