#include "reports/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "sim/base/quantity.h"

namespace pipescope::reports {
namespace {

// "rank 14 needs 87.87 GiB of 79.65 GiB"
std::string FullestText(const StepResult& r) {
  const size_t rank = FullestRank(r);
  return fmt::format("rank {} needs {} of {}", rank, FormatGiB(r.memory[rank].total_peak),
                     FormatGiB(r.memory[rank].limit));
}

}  // namespace

bool Operations(const StepResult& r) { return r.fidelity != "schedule"; }

std::string Label(const std::string& schedule) {
  static const std::map<std::string, std::string> kLabels = {
      {"1f1b", "1F1B"},
      {"1f1b-v", "1F1B-V"},
      {"chimera", "Chimera"},
      {"combined-1f1b", "combined 1F1B"},
      {"csv", "order from a file"},
      {"dualpipe", "DualPipe"},
      {"dualpipev", "DualPipeV"},
      {"eager-1f1b", "eager 1F1B"},
      {"gpipe", "GPipe"},
      {"hanayo", "Hanayo"},
      {"interleaved-1f1b", "interleaved 1F1B"},
      {"interleaved-zb", "interleaved ZB"},
      {"looped-bfs", "looped BFS"},
      {"v-half", "V-Half"},
      {"v-min", "V-Min"},
      {"zb-h1", "ZB1P"},
      {"zb-h2", "ZB-H2"},
      {"zb-auto", "ZB auto"},
      {"zbv", "ZB-V"},
      {"zbv-auto", "ZB-V auto"},
  };
  const auto at = kLabels.find(schedule);
  return at == kLabels.end() ? schedule : at->second;
}

size_t FullestRank(const StepResult& r) {
  const auto most = std::max_element(
      r.memory.begin(), r.memory.end(),
      [](const RankMemory& a, const RankMemory& b) { return a.total_peak < b.total_peak; });
  return static_cast<size_t>(most - r.memory.begin());
}

size_t Best(const std::vector<StepResult>& results) {
  size_t best = 0;
  for (size_t i = 1; i < results.size(); ++i) {
    const StepResult& a = results[i];
    const StepResult& b = results[best];
    if (a.fits != b.fits ? a.fits : a.step_time < b.step_time) best = i;
  }
  return best;
}

std::string Verdict(const StepResult& r) {
  const timeline::Breakdown b = r.mean_breakdown();
  const auto share = [&](Duration d) { return FormatPercent(d / r.step_time); };
  if (r.traced) {
    return fmt::format(
        "The trace lasts {}. It is bound by {}: {} of it is bubble; in {} no computation runs "
        "inside "
        "actions. {} of dispatch, combine and collectives run beside computation.",
        Format(r.step_time), r.bound_by, share(b.bubble), share(b.exposed_communication),
        FormatPercent(r.overlap.whole.hidden_share()));
  }
  std::string text = fmt::format(
      "{} takes {} a step: {} tokens a second, {} of the GPUs' BF16 peak (causal). It is bound by "
      "{}: {} of the step is bubble",
      Label(r.schedule), Format(r.step_time), FormatCount(r.tokens_per_second),
      FormatPercent(r.mfu_causal), r.bound_by, share(b.bubble));
  text += Operations(r) ? fmt::format(", {} exposed communication.", share(b.exposed_communication))
                        : ". Communication inside actions counts as theirs (fidelity schedule).";
  if (!r.fits) text += fmt::format(" It does not fit: {}.", FullestText(r));
  return text;
}

std::string CompareVerdict(const std::vector<StepResult>& results) {
  if (results.empty()) return "";
  if (results.size() == 1) return Verdict(results.front());
  const StepResult& best = results[Best(results)];
  const bool faster_exists = std::any_of(results.begin(), results.end(), [&](const StepResult& r) {
    return r.step_time < best.step_time;
  });
  std::string text =
      fmt::format("{} is the fastest{}: {} a step.", Label(best.schedule),
                  faster_exists ? " that fits in memory" : "", Format(best.step_time));
  for (const StepResult& r : results) {
    if (&r == &best) continue;
    text += fmt::format(" {} {} {:.2f} times as long", Label(r.schedule),
                        r.fits ? "takes" : "would take", r.step_time / best.step_time);
    text += r.fits ? "." : fmt::format(" but does not fit: {}.", FullestText(r));
  }
  text += Operations(best)
              ? fmt::format(
                    " {} hides {} of dispatch, combine and pipeline messages in its steady "
                    "part and",
                    Label(best.schedule), FormatPercent(best.overlap.steady.hidden_share()))
              : fmt::format(" {}", Label(best.schedule));
  text += fmt::format(" leaves {} of bubble a rank; it is bound by {}.",
                      Format(best.mean_breakdown().bubble), best.bound_by);
  if (!best.fits) text += fmt::format(" It does not fit: {}.", FullestText(best));
  return text;
}

}  // namespace pipescope::reports
