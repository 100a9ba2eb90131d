#include <fmt/format.h>

#include <algorithm>

#include "reports/html.h"
#include "reports/plan_text.h"
#include "reports/points_data.h"
#include "reports/points_page.h"
#include "sim/base/quantity.h"

namespace pipescope::reports {
namespace {

using Json = nlohmann::ordered_json;

// As --set takes them, and the GPUs.
std::vector<std::string> FieldsOf(const PlanChoice& choice) {
  std::vector<std::string> fields = {"GPUs"};
  for (const auto& [path, value] : choice.Overrides()) fields.push_back(path);
  return fields;
}

std::vector<std::string> ValuesOf(const PlanChoice& choice) {
  std::vector<std::string> values = {std::to_string(choice.gpus)};
  for (const auto& [path, value] : choice.Overrides()) values.push_back(value);
  return values;
}

bool Holds(const std::vector<PlanEntry>& list, const PlanEntry& entry) {
  return std::any_of(list.begin(), list.end(), [&](const PlanEntry& other) {
    return ValuesOf(other.choice) == ValuesOf(entry.choice);
  });
}

Json Left(const char* what, int64_t count, const std::string& explain) {
  return {{"what", what}, {"count", count}, {"explain", explain}};
}

Json PrunedJson(const PlanReport& r) {
  const PlanCounts& c = r.counts;
  return {
      Left("Considered", c.considered, "every combination of what was left open"),
      Left("Impossible", c.impossible,
           "sizes do not divide, or the schedule cannot be built for them"),
      Left("Over by parameters", c.parameters,
           fmt::format("parameters and gradients alone need more than {}", FormatGiB(r.limit))),
      Left("Over memory", c.memory,
           fmt::format("with optimizer, activations and buffers more than {}", FormatGiB(r.limit))),
      Left("Left out by bounds", c.bound,
           "a bound that no schedule beats shows them slower than the fastest, and not on the "
           "front"),
      Left("Simulated", c.simulated, "the whole step"),
      Left("Refused", c.refused, "by the simulation, of the simulated")};
}

std::string VerdictOf(const PlanReport& r) {
  const PlanEntry& best = r.best.front();
  const PlanChoice& c = best.choice;
  return fmt::format(
      "{} is the fastest plan within {} a GPU: {} a step on {} GPUs as PP{} x DP{} x TP{}, EP{}, "
      "micro-batches of {}, recomputation {}; MFU {}, {} a GPU. {} of {} plans had to be "
      "simulated.",
      c.schedule, FormatGiB(r.limit), Format(best.figures.step_time), c.gpus, c.pipeline, c.data,
      c.tensor, c.expert, c.micro_batch, c.recompute, FormatPercent(best.figures.mfu_causal),
      FormatGiB(best.figures.memory_peak), r.counts.simulated, r.counts.considered);
}

Json TilesOf(const PlanReport& r) {
  const StepFigures& f = r.best.front().figures;
  return {
      PointTile("Fastest step", Format(f.step_time), f.schedule),
      PointTile("Its throughput", FormatCount(f.tokens_per_second) + " tokens/s",
                FormatCount(f.tokens_per_second * 86400) + " tokens a day"),
      PointTile("Its MFU", FormatPercent(f.mfu_causal), "causal, of the BF16 peak"),
      PointTile("Its bubble", FormatPercent(f.bubble_rate), "of the pipeline"),
      PointTile("Its peak memory", FormatGiB(f.memory_peak), "of " + FormatGiB(r.limit)),
      PointTile("Plans", std::to_string(r.counts.considered),
                fmt::format("{} simulated, {} on the front", r.counts.simulated, r.front.size()))};
}

}  // namespace

std::string PlanPage(const PlanReport& r, const PointsFrame& frame) {
  PointColumns columns(FieldsOf(r.best.front().choice));
  for (size_t i = 0; i < r.best.size(); ++i) {
    columns.Add(ValuesOf(r.best[i].choice), r.best[i].figures, Holds(r.front, r.best[i]),
                static_cast<int>(i) + 1);
  }
  for (const PlanEntry& entry : r.front) {
    if (!Holds(r.best, entry)) columns.Add(ValuesOf(entry.choice), entry.figures, true, 0);
  }
  Json data = {{"format", "pipescope-points/1"},
               {"kind", "plan"},
               {"title", "Plans for " + r.experiment},
               {"subtitle",
                fmt::format("{} on {}, within {} a GPU", r.model, r.cluster, FormatGiB(r.limit))},
               {"verdict", VerdictOf(r)},
               {"highlights", TilesOf(r)},
               {"command", frame.command},
               {"experiment", frame.experiment},
               {"version", frame.version},
               {"limit_bytes", r.limit.value()},
               {"why", WhyFirst(r)},
               {"pruned", PrunedJson(r)}};
  data.update(columns.Take());
  return PointsHtml(data);
}

}  // namespace pipescope::reports
