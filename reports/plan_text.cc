#include "reports/plan_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "sim/base/quantity.h"

namespace pipescope::reports {
namespace {

std::string ScheduleText(const PlanChoice& c) {
  return c.chunks > 0 ? fmt::format("{} x{}", c.schedule, c.chunks) : c.schedule;
}

std::string Head() {
  return fmt::format(
      "{:>4} {:>10} {:>11} {:>8} {:>12} {:>6} {:>3} {:>5} {:>3} {:>4} {:>6} {:>4}  "
      "{:<12} {}\n",
      "", "step", "tokens/s", "MFU", "peak memory", "GPUs", "PP", "DP", "TP", "EP", "batch", "SMs",
      "recompute", "schedule");
}

std::string Row(size_t number, const PlanEntry& e) {
  const PlanChoice& c = e.choice;
  return fmt::format(
      "{:>4} {:>10} {:>11} {:>6.1f} % {:>12} {:>6} {:>3} {:>5} {:>3} {:>4} {:>6} "
      "{:>4}  {:<12} {}\n",
      number, Format(e.figures.step_time), FormatCount(e.figures.tokens_per_second),
      e.figures.mfu_causal * 100, FormatGiB(e.figures.memory_peak), c.gpus, c.pipeline, c.data,
      c.tensor, c.expert, c.micro_batch, c.sms, c.recompute, ScheduleText(c));
}

std::string Table(const std::string& title, const std::vector<PlanEntry>& entries) {
  std::string text = "\n" + title + "\n" + Head();
  for (size_t i = 0; i < entries.size(); ++i) text += Row(i + 1, entries[i]);
  return text;
}

std::string CountsText(const PlanReport& r) {
  const PlanCounts& c = r.counts;
  return fmt::format(
      "\n{} plans considered: {} impossible (do not divide, or the schedule cannot be built), {} "
      "over\n{} by parameters and gradients alone, {} with all else, {} left out by bounds on time "
      "and\nmemory, {} simulated{}\n",
      c.considered, c.impossible, FormatGiB(r.limit), c.parameters, c.memory, c.bound, c.simulated,
      c.refused > 0 ? fmt::format(", {} refused", c.refused) : "");
}

// GPU hours for 10^12 tokens.
double GpuHours(const PlanReport& r, const PlanEntry& e) {
  return e.figures.step_time.seconds() / 3600 * e.choice.gpus * 1e12 /
         static_cast<double>(r.tokens);
}

std::string Differences(const PlanChoice& first, const PlanChoice& second) {
  std::vector<std::string> list;
  const auto a = first.Overrides(), b = second.Overrides();
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].second == b[i].second) continue;
    list.push_back(fmt::format("{} {} in place of {}", a[i].first, a[i].second, b[i].second));
  }
  if (first.gpus != second.gpus) {
    list.push_back(fmt::format("{} GPUs in place of {}", first.gpus, second.gpus));
  }
  return fmt::format("{}", fmt::join(list, ", "));
}

// What the second one spends more or less on, the largest first; what is under a hundredth of the
// sum is left out.
std::string PartsText(const timeline::Breakdown& a, const timeline::Breakdown& b) {
  std::vector<std::pair<std::string, Duration>> parts = {
      {"forward", b.forward - a.forward},
      {"input gradients", b.backward_input - a.backward_input},
      {"weight gradients", b.backward_weight - a.backward_weight},
      {"F&B pairs", b.overlapped - a.overlapped},
      {"exposed communication", b.exposed_communication - a.exposed_communication},
      {"bubble", b.bubble - a.bubble},
      {"optimizer", b.optimizer - a.optimizer}};
  const auto size = [](Duration d) { return std::abs(d.seconds()); };
  std::stable_sort(parts.begin(), parts.end(),
                   [&](const auto& x, const auto& y) { return size(x.second) > size(y.second); });
  double all = 0;
  for (const auto& [name, more] : parts) all += size(more);
  std::vector<std::string> words;
  for (const auto& [name, more] : parts) {
    if (size(more) <= all / 100) continue;
    words.push_back(fmt::format("{} {} of {}", Format(more < Duration() ? Duration() - more : more),
                                more < Duration() ? "less" : "more", name));
  }
  return words.empty() ? "the same on everything" : fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace

std::string WhyFirst(const PlanReport& r) {
  if (r.best.size() < 2) return "";
  const PlanEntry &first = r.best[0], &second = r.best[1];
  const Duration more = second.figures.step_time - first.figures.step_time;
  const double share = more / first.figures.step_time;
  const double day = 86400;
  std::string text =
      fmt::format("The first has {}. A rank of the second spends, in the mean, {}.\n",
                  Differences(first.choice, second.choice),
                  PartsText(first.figures.breakdown, second.figures.breakdown));
  text += fmt::format(
      "To be second costs {} a step ({:.2f} %), {} tokens a day, {} GPU hours per 10^12 tokens",
      Format(more), share * 100,
      FormatCount((first.figures.tokens_per_second - second.figures.tokens_per_second) * day),
      FormatCount(GpuHours(r, second) - GpuHours(r, first)));
  const Bytes saved = first.figures.memory_peak - second.figures.memory_peak;
  if (saved > Bytes()) text += fmt::format(", and saves {}", FormatGiB(saved));
  return text + ".\n";
}

std::string PlanText(const PlanReport& r, const std::string& command) {
  std::string text =
      fmt::format("{} on {}, within {} a GPU\n", r.model, r.cluster, FormatGiB(r.limit));
  text += Table(fmt::format("The {} fastest", r.best.size()), r.best);
  if (const std::string why = WhyFirst(r); !why.empty()) text += "\n" + why;
  text += Table(
      fmt::format(
          "Front of step time, memory and GPUs: no plan beats these in all three; up to {} times "
          "the least GPU time",
          r.front_within),
      r.front);
  text += CountsText(r);
  text += "\nThe first again: pipescope simulate " + r.experiment_file;
  for (const auto& [path, value] : r.best.front().choice.Overrides()) {
    text += fmt::format(" --set {}={}", path, value);
  }
  return text + "\nReproduce: " + command + "\n";
}

}  // namespace pipescope::reports
