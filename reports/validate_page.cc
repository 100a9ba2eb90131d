#include "reports/validate_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/html.h"
#include "reports/parting.h"
#include "reports/verdict.h"
#include "schedules/registry.h"
#include "sim/base/quantity.h"
#include "sim/timeline/breakdown.h"

namespace pipescope::reports {
namespace {

// The schedule, and what tells its case from the others where there are several of it.
std::string NameOf(const ValidateResult& result, const ValidateCase& c) {
  const auto same = [&](const ValidateCase& other) { return other.schedule == c.schedule; };
  const auto family = schedules::FindFamily(c.schedule);  // its own name, where this is another
  const std::string label = Label(family ? (*family)->name : c.schedule);
  if (std::count_if(result.cases.begin(), result.cases.end(), same) == 1) return label;
  return fmt::format("{} ({}, {} ranks, {} micro-batches)", label, c.model, c.ranks * c.replicas,
                     c.microbatches);
}

StepResult StepOf(const std::string& name, const timeline::Timeline& t) {
  StepResult r;
  r.traced = true;
  r.schedule = name;
  r.fidelity = "trace";
  r.timeline = t;
  r.step_time = t.end;
  r.bubbles = timeline::FindBubbles(t);
  r.breakdown = timeline::BreakdownByRank(t);
  r.action_times = timeline::ActionTimesByRank(t);
  r.overlap = timeline::MeasureOverlap(t, r.bubbles);
  return r;
}

ValidationRow RowOf(const std::string& name, const ValidateCase& c) {
  constexpr size_t kShown = 3;
  const Partings partings = FindPartings(c.predicted_timeline, c.measured_timeline, kShown);
  ValidationRow row;
  row.schedule = name;
  row.predicted = c.predicted;
  row.measured = c.measured;
  row.error = c.error();
  row.noise = c.noise;
  row.predicted_noise = c.predicted_noise;
  row.others = c.others;
  row.last_rank = partings.last_rank;
  row.longer = partings.longer;
  row.waited = partings.waited;
  row.after = partings.after;
  for (const Parting& parting : partings.largest) {
    row.partings.push_back(
        {fmt::format("rank {}, {}", parting.rank, parting.action), parting.late, parting.why});
  }
  return row;
}

std::string VerdictOf(const ValidateResult& r) {
  const std::string speed = OtherSpeedText(r);
  return fmt::format("Predictions are {} off in the mean; {}. {}{}{}", FormatPercent(MeanError(r)),
                     RankingText(r),
                     AllEqualOneRank(r) ? "Every loss equals that of one rank, to the bit."
                                        : "WRONG: some losses differ from those of one rank.",
                     speed.empty() ? "" : " ", speed);
}

}  // namespace

std::vector<StepResult> ValidateSteps(const ValidateResult& result) {
  std::vector<StepResult> steps;
  for (const ValidateCase& c : result.cases) {
    const std::string name = NameOf(result, c);
    steps.push_back(StepOf(name + ", predicted", c.predicted_timeline));
    steps.push_back(StepOf(name + ", measured", c.measured_timeline));
  }
  return steps;
}

std::string ValidatePage(const ValidateResult& result, const std::string& command,
                         const std::string& version) {
  ReportFrame frame{"Predicted and measured", command, version};
  frame.subtitle = fmt::format("{} on {}: {} processors, {}", result.device, result.machine,
                               result.processors, RepetitionsText(result));
  if (result.transport == "mpi") {
    frame.subtitle += fmt::format(", {} processes over MPI", result.processes);
  }
  frame.verdict = VerdictOf(result);
  for (const ValidateCase& c : result.cases) {
    frame.validation.push_back(RowOf(NameOf(result, c), c));
  }
  return HtmlReport(ValidateSteps(result), frame);
}

}  // namespace pipescope::reports
