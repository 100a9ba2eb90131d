#include "reports/step_tables.h"

#include <fmt/format.h>

#include "reports/verdict.h"
#include "sim/base/quantity.h"

namespace pipescope::reports {

std::string SummaryTable(std::span<const StepResult> results) {
  std::string text =
      fmt::format("{:<18} {:>9} {:>11} {:>7} {:>9} {:>8} {:>9} {:>8} {:>11}\n", "schedule", "step",
                  "tokens/s", "MFU", "bubble", "rate", "exposed", "hidden", "peak memory");
  for (const StepResult& r : results) {
    const timeline::Breakdown b = r.mean_breakdown();
    text += fmt::format(
        "{:<18} {:>9} {:>11} {:>7} {:>9} {:>8} {:>9} {:>8} {:>11}{}\n", Label(r.schedule),
        Format(r.step_time), FormatCount(r.tokens_per_second), FormatPercent(r.mfu_causal),
        Format(b.bubble), FormatPercent(r.bubbles.makespan_rate), Format(b.exposed_communication),
        FormatPercent(r.overlap.steady.hidden_share()),
        FormatGiB(r.memory[FullestRank(r)].total_peak), r.fits ? "" : "  does not fit");
  }
  text +=
      "bubble, exposed: mean over ranks; rate: of the time until the last action ends. exposed: "
      "communication\na rank waits for inside its actions and at the step's end. hidden: share of "
      "dispatch and combine beside\ncomputation, and of messages that no rank waits for, in the "
      "steady part.\n";
  return text;
}

std::string BreakdownTable(std::span<const StepResult> results) {
  std::string text =
      fmt::format("{:<18} {:>9} {:>9} {:>9} {:>11} {:>9} {:>9} {:>10}\n", "computes in", "F", "I",
                  "W", "F&B pairs", "exposed", "bubble", "optimizer");
  for (const StepResult& r : results) {
    const timeline::Breakdown b = r.mean_breakdown();
    text += fmt::format("{:<18} {:>9} {:>9} {:>9} {:>11} {:>9} {:>9} {:>10}\n", Label(r.schedule),
                        Format(b.forward), Format(b.backward_input), Format(b.backward_weight),
                        Format(b.overlapped), Format(b.exposed_communication), Format(b.bubble),
                        Format(b.optimizer));
  }
  return text;
}

std::string ActionTable(std::span<const StepResult> results) {
  std::string text =
      fmt::format("{:<18} {:>9} {:>9} {:>9} {:>11} {:>9} {:>9} {:>10}\n", "actions, all in", "F",
                  "I", "W", "F&B pairs", "B", "bubble", "step's end");
  for (const StepResult& r : results) {
    const timeline::ActionTimes a = timeline::Mean(r.action_times);
    text += fmt::format("{:<18} {:>9} {:>9} {:>9} {:>11} {:>9} {:>9} {:>10}\n", Label(r.schedule),
                        Format(a.forward), Format(a.backward_input), Format(a.backward_weight),
                        Format(a.overlapped), Format(a.backward), Format(r.mean_breakdown().bubble),
                        Format(r.timeline.end - r.timeline.pipeline_end));
  }
  return text;
}

std::string BubbleTable(std::span<const StepResult> results) {
  std::string text = fmt::format("{:<18}", "bubble from");
  for (int c = 0; c < timeline::kGapCauses; ++c) {
    text += fmt::format(" {:>17}", timeline::Name(static_cast<timeline::GapCause>(c)));
  }
  text += '\n';
  for (const StepResult& r : results) {
    Duration all;
    for (const Duration d : r.bubbles.by_cause) all += d;
    text += fmt::format("{:<18}", Label(r.schedule));
    for (const Duration d : r.bubbles.by_cause) {
      const double share = all == Duration() ? 0 : d / all;
      text += fmt::format(" {:>9} {:>7}", Format(Seconds(d.seconds() / r.timeline.ranks)),
                          FormatPercent(share));
    }
    text += '\n';
  }
  return text;
}

}  // namespace pipescope::reports
