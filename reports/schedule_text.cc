#include "reports/schedule_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "reports/schedule_timeline.h"
#include "schedules/registry.h"
#include "sim/base/quantity.h"

namespace pipescope::reports {
namespace {

using schedules::Costs;
using schedules::Family;

std::string ListText(const schedules::CostList& list) {
  constexpr size_t kMost = 8;
  if (list.size() == 1) return fmt::format("{:.6g}", list.front());
  std::string text = "[";
  for (size_t i = 0; i < std::min(list.size(), kMost); ++i) {
    text += fmt::format("{}{:.6g}", i == 0 ? "" : ", ", list[i]);
  }
  return text + (list.size() > kMost ? ", ...]" : "]");
}

}  // namespace

std::string CostsText(const Costs& costs) {
  const bool plain = costs.Uniform();
  const std::string backward = !costs.backward.empty() ? ListText(costs.backward)
                               : plain                 ? fmt::format("{:.6g}", costs.Backward(0))
                                                       : "I+W";
  const std::string pair = !costs.overlapped.empty() ? ListText(costs.overlapped)
                           : plain                   ? fmt::format("{:.6g}", costs.Overlapped(0, 0))
                                                     : "F+B";
  return fmt::format("F={} I={} W={} B={} FB={} comm={:.6g} (per chunk; comm per hop)",
                     ListText(costs.forward), ListText(costs.input_grad),
                     ListText(costs.weight_grad), backward, pair, costs.comm);
}

namespace {

std::string Head(const ScheduleReport& report) {
  const schedules::Schedule& schedule = report.schedule;
  std::string text;
  if (report.family != nullptr) {
    text = fmt::format("schedule      {}: {}\n              {}\n", schedule.name,
                       report.family->summary, report.family->reference);
  } else if (report.source.empty()) {
    text = fmt::format("schedule      {}\n", schedule.name);
  } else {
    text = fmt::format("schedule      {} (read from a file)\n", report.source);
  }
  if (!report.note.empty()) text += fmt::format("              {}\n", report.note);
  text += fmt::format("size          {} ranks, {} stages, {} micro-batches\n", schedule.ranks,
                      schedule.stages, schedule.microbatches);
  if (schedule.slices > 1) {
    text += fmt::format("              (each is one of the {} slices of a sequence)\n",
                        schedule.slices);
  }
  return text + fmt::format("costs         {}\n", CostsText(report.costs));
}

}  // namespace

std::string TimelineLegend() {
  return "legend        F forward, I input gradient, W weight gradient, B = I and W, F1&B0 (or X) "
         "an overlapped pair; the number is\n"
         "              the micro-batch; lower case: not the lowest of the rank's stages; '-' goes "
         "on, '.' idle\n";
}

namespace {

// What the closed form says of the longest bubble, where it applies.
std::string ClosedForm(const ScheduleReport& report) {
  if (report.family == nullptr) return "";
  const Family& family = *report.family;
  if (family.exact_bubble == nullptr) {
    return fmt::format("closed form   none: {}\n", family.bubble);
  }
  const auto exact = schedules::ExactBubble(family, report.options, report.costs);
  if (!exact) {
    return fmt::format("closed form   {} is not exact here: it asks that {}\n", family.bubble,
                       family.bubble_exact_when);
  }
  const bool span = family.bubble_kind == schedules::BubbleKind::kSpan;
  const double simulated = span ? schedules::LongestSpanBubble(report.prepared, report.timing)
                                : schedules::LongestBubble(report.timing);
  const bool same = std::abs(simulated - *exact) <= 1e-9 * std::max(1.0, report.timing.makespan);
  return fmt::format("closed form   {}bubble {} = {:.6g}: simulated {:.6g}, {}\n",
                     span ? "span " : "", family.bubble, *exact, simulated,
                     same ? "equal" : "DIFFERENT");
}

std::string RanksTable(const ScheduleReport& report) {
  const schedules::Timing& timing = report.timing;
  std::string text = fmt::format("{:>6} {:>12} {:>12} {:>9} {:>17}\n", "rank", "busy", "bubble",
                                 "bubble %", "peak activations");
  const size_t shown = std::min<size_t>(timing.busy.size(), kTimelineRanks);
  for (size_t r = 0; r < shown; ++r) {
    const double share = timing.makespan > 0 ? timing.bubble[r] / timing.makespan : 0;
    text +=
        fmt::format("{:>6} {:>12.6g} {:>12.6g} {:>9} {:>17}\n", r, timing.busy[r], timing.bubble[r],
                    FormatPercent(share), report.prepared.peak_activations[r]);
  }
  if (shown < timing.busy.size()) {
    text += fmt::format("ranks {} to {} are not shown\n", shown, timing.busy.size() - 1);
  }
  return text;
}

}  // namespace

std::string ScheduleText(const ScheduleReport& report) {
  const schedules::Timing& timing = report.timing;
  std::string text = Head(report) + "\n" + TimelineText(report.schedule, report.prepared, timing) +
                     TimelineLegend() + "\n";
  text += fmt::format("makespan      {:.6g} (first start to last end)\n", timing.makespan);
  text += fmt::format("span          {:.6g} (longest of the ranks' own first start to last end)\n",
                      timing.span);
  text += fmt::format("bubble        {} of the makespan, {} of the span (mean over ranks)\n",
                      FormatPercent(timing.makespan_rate), FormatPercent(timing.span_rate));
  text += ClosedForm(report) + "\n" + RanksTable(report);
  text += "activations are counted in chunks: from F to B, or to W where the backward is split\n";
  return text + fmt::format("\nreproduce     {}\n", report.reproduce);
}

std::string FamiliesText(const std::vector<Family>& families) {
  std::string text;
  for (const Family& family : families) {
    text += family.name;
    for (const std::string& alias : family.aliases) text += fmt::format(" (also {})", alias);
    text += fmt::format(": {}\n", family.summary);
    text += fmt::format("  reference         {}\n", family.reference);
    text += fmt::format("  options           {}\n", family.options);
    text += fmt::format("  constraints       {}\n", family.constraints);
    text += fmt::format("  stages a rank     {}{}, each {} over all ranks\n", family.chunks,
                        family.least_chunks > 0 ? " or --chunks" : "",
                        family.parameter_copies == 1 ? "once" : "twice");
    text += fmt::format("  parameter copies  {}\n", family.parameter_copies);
    if (!family.variants.empty()) {
      text += fmt::format("  variants          {}\n", fmt::join(family.variants, ", "));
    }
    text += fmt::format("  bubble            {}{}{}\n", family.bubble,
                        family.bubble_kind == schedules::BubbleKind::kSpan ? " of the span" : "",
                        family.exact_bubble == nullptr
                            ? ""
                            : fmt::format(", exact for: {}", family.bubble_exact_when));
    text += fmt::format("  peak activations  {} (in chunks)\n\n", family.peak_activations);
  }
  for (const schedules::OutOfScope& other : schedules::FamiliesOutOfScope()) {
    text += fmt::format("{}: out of scope: {}\n\n", other.name, other.reason);
  }
  return text +
         "p ranks, r a rank, m micro-batches, v stages a rank, k slices; F, I, W, B = I + W, FB: "
         "costs of one chunk. Try\n"
         "  pipescope schedule show 1f1b --ranks 4 --microbatches 8\n";
}

}  // namespace pipescope::reports
