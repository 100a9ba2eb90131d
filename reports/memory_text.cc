#include "reports/memory_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/quantity.h"

namespace pipescope::reports {

// Whose activations the fullest rank holds at its peak.
std::string PeakHolders(const StepResult& r) {
  const auto fullest = std::max_element(
      r.memory.begin(), r.memory.end(),
      [](const RankMemory& a, const RankMemory& b) { return a.total_peak < b.total_peak; });
  if (fullest == r.memory.end() || fullest->held.empty()) return "";
  std::string text = fmt::format("At its peak rank {} holds", fullest - r.memory.begin());
  for (const timeline::Holder& h : fullest->held) {
    text +=
        fmt::format("{} {} micro-batch{} of stage {} {} ({})", &h == &fullest->held[0] ? "" : ",",
                    h.microbatches, h.microbatches == 1 ? "" : "es", h.stage.value(),
                    NameOf(h.what), FormatGiB(h.bytes));
  }
  return text + ".";
}

std::string MemoryTable(const StepResult& r) {
  std::string text = fmt::format("{:<6} {:>11} {:>11} {:>11} {:>12} {:>10} {:>11} {:>11} {:>10}\n",
                                 "rank", "parameters", "gradients", "optimizer", "activations",
                                 "buffers", "peak", "limit", "peak at");
  for (size_t i = 0; i < r.memory.size(); ++i) {
    const RankMemory& m = r.memory[i];
    text += fmt::format("{:<6} {:>11} {:>11} {:>11} {:>12} {:>10} {:>11} {:>11} {:>10}\n", i,
                        FormatGiB(m.parameters), FormatGiB(m.gradients), FormatGiB(m.optimizer),
                        FormatGiB(m.activations_peak), FormatGiB(m.buffers),
                        FormatGiB(m.total_peak), FormatGiB(m.limit), Format(m.peak_time));
  }
  return text;
}

}  // namespace pipescope::reports
