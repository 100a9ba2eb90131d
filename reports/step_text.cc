#include "reports/step_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <sstream>

#include "reports/memory_text.h"
#include "reports/step_tables.h"
#include "reports/verdict.h"
#include "sim/base/quantity.h"
#include "sim/timeline/critical_path.h"

namespace pipescope::reports {
namespace {

constexpr int kColumns = 100;
constexpr const char* kLegend =
    "F forward  B backward  I input gradient  W weight gradient  X overlapped F&B  o step's end  "
    ". bubble";

char Letter(schedules::ActionKind kind) {
  switch (kind) {
    case schedules::ActionKind::kForward:
      return 'F';
    case schedules::ActionKind::kInputGrad:
      return 'I';
    case schedules::ActionKind::kWeightGrad:
      return 'W';
    case schedules::ActionKind::kBackward:
      return 'B';
    case schedules::ActionKind::kOverlapped:
      return 'X';
  }
  return '?';
}

// The letter with the most time in each slice of one rank.
std::string Row(const StepResult& r, int rank, int columns) {
  constexpr std::string_view kLetters = "FIWBXo";
  const int64_t end = std::max<int64_t>(1, r.timeline.end.picoseconds());
  std::vector<std::array<int64_t, 6>> shares(static_cast<size_t>(columns));
  const auto slice_start = [&](int c) {
    return static_cast<int64_t>(static_cast<double>(end) * c / columns);
  };
  const auto add = [&](Duration from, Duration to, char letter) {
    const size_t which = kLetters.find(letter);
    const auto column = [&](Duration d) {
      const double c = static_cast<double>(d.picoseconds()) / static_cast<double>(end) * columns;
      return std::clamp(static_cast<int>(c), 0, columns - 1);
    };
    for (int c = column(from); c <= column(to); ++c) {
      const int64_t a = std::max(from.picoseconds(), slice_start(c));
      const int64_t b = std::min(to.picoseconds(), slice_start(c + 1));
      if (b > a) shares[static_cast<size_t>(c)][which] += b - a;
    }
  };
  const auto [first, last] = r.timeline.rank_actions[static_cast<size_t>(rank)];
  for (int a = first; a < last; ++a) {
    const timeline::ActionSpan& span = r.timeline.actions[static_cast<size_t>(a)];
    add(span.start, span.end, Letter(span.action.kind));
  }
  add(r.timeline.pipeline_end, r.timeline.end, 'o');
  std::string row;
  for (int c = 0; c < columns; ++c) {
    const auto& share = shares[static_cast<size_t>(c)];
    const size_t most =
        static_cast<size_t>(std::max_element(share.begin(), share.end()) - share.begin());
    int64_t busy = 0;
    for (const int64_t s : share) busy += s;
    const int64_t width = slice_start(c + 1) - slice_start(c);
    row += busy * 2 >= width ? kLetters[most] : '.';
  }
  return row;
}

// What the chain of operations that decided the step's end consists of.
std::string CriticalPathTable(const StepResult& r) {
  constexpr size_t kMost = 8;
  const auto shares = timeline::SharesOf(r.timeline, r.critical_path);
  int ranks = 1;
  for (size_t i = 1; i < r.critical_path.size(); ++i) {
    const auto rank = [&](size_t k) {
      return r.timeline.operations[static_cast<size_t>(r.critical_path[k])].rank;
    };
    ranks += rank(i) != rank(i - 1);
  }
  std::string text = fmt::format("{} operations in a row, {} changes of rank\n",
                                 r.critical_path.size(), ranks - 1);
  for (size_t i = 0; i < shares.size() && i < kMost; ++i) {
    const timeline::PathShare& s = shares[i];
    text += fmt::format("  {:<24} {:>9} {:>7}  {:>5} x\n",
                        r.timeline.labels[static_cast<size_t>(s.label)].name, Format(s.time),
                        FormatPercent(s.time / r.step_time), s.count);
  }
  return text;
}

// What was simulated; schedules with different numbers of stages have a line each.
std::string Head(std::span<const StepResult> results) {
  const StepResult& first = results.front();
  std::string text =
      fmt::format("{}: {} on {}\n{}\n", first.experiment, first.model, first.cluster, first.plan);
  const bool alike = std::all_of(results.begin(), results.end(),
                                 [&](const StepResult& r) { return r.layout == first.layout; });
  for (const StepResult& r : results) {
    text += alike ? "stages " : fmt::format("stages of {}: ", Label(r.schedule));
    text += r.layout + "\n";
    if (alike) break;
  }
  return text + "\n";
}

std::string SensitivityTable(const StepResult& r) {
  if (r.sensitivities.empty()) return "";
  std::string text = "What a tenth more would buy\n";
  for (const Sensitivity& s : r.sensitivities) {
    const double gain = 1 - s.step_time / r.step_time;
    text += fmt::format("  {:<36} {:>8} {:>10}   {}{}\n", s.resource, FormatPercent(gain),
                        Format(s.step_time), s.change,
                        r.fits == s.fits ? ""
                        : s.fits         ? "; fits then"
                                         : "; does not fit then");
  }
  return text + "\n";
}

// Where costs come from and how far off they may be, with what was not measured where some was.
std::string CostsTable(const StepResult& r) {
  constexpr size_t kMost = 12;
  if (!r.measured_costs) {
    return fmt::format(
        "step {} +- {}; all of it is computed: nothing was measured on this machine\n",
        Format(r.step_time), Format(r.costs.spread));
  }
  const auto share = [&](costs::Origin o) {
    return FormatPercent(r.costs.by_origin[static_cast<size_t>(o)]);
  };
  std::string text = fmt::format(
      "step {} +- {}; measured {}, interpolated {}, analytic {} of kernels and collectives\n",
      Format(r.step_time), Format(r.costs.spread), share(costs::Origin::kMeasured),
      share(costs::Origin::kInterpolated), share(costs::Origin::kAnalytic));
  for (size_t i = 0; i < std::min(kMost, r.costs.guessed.size()); ++i) {
    const GuessedCost& guess = r.costs.guessed[i];
    text += fmt::format("  {:<60} {:<12} {:>7}\n", guess.what, costs::NameOf(guess.origin),
                        FormatPercent(guess.share));
  }
  const size_t more = r.costs.guessed.size() - std::min(kMost, r.costs.guessed.size());
  if (more > 0) text += fmt::format("  and {} more (--format json)\n", more);
  return text;
}

std::string Assumptions(const StepResult& r) {
  std::string text = "Assumptions\n";
  for (const costs::Assumption& a : r.assumptions) {
    text += fmt::format("  {:<46} {}\n", a.name, a.value);
  }
  return text + "  (sources: --json or --html)\n";
}

// Breaks a paragraph into lines of at most kColumns characters.
std::string Wrap(const std::string& paragraph) {
  std::istringstream words(paragraph);
  std::string text;
  size_t column = 0;
  for (std::string word; words >> word;) {
    if (column > 0 && column + 1 + word.size() > kColumns) {
      text += '\n';
      column = 0;
    }
    text += (column > 0 ? " " : "") + word;
    column += word.size() + (column > 0 ? 1 : 0);
  }
  return text + "\n";
}

std::string Section(const std::string& title, const std::string& body) {
  return title + "\n" + body + "\n";
}

}  // namespace

std::string AsciiTimeline(const StepResult& r, int columns) {
  std::string text;
  for (int rank = 0; rank < r.timeline.ranks; ++rank) {
    text += fmt::format("{:>4} {}\n", rank, Row(r, rank, columns));
  }
  text += fmt::format("     0{:>{}}\n", Format(r.timeline.end), columns - 1);
  return text;
}

std::string StepText(const StepResult& r, const std::string& command) {
  const std::span<const StepResult> one(&r, 1);
  std::string text = Wrap(Verdict(r)) + "\n" + Head(one);
  text += Section("Step", SummaryTable(one));
  text += Section("Timeline", std::string(kLegend) + "\n" + AsciiTimeline(r, kColumns));
  text += Section("Where the time goes (mean over ranks)", BreakdownTable(one) + ActionTable(one));
  text += Section("Why ranks wait (mean over ranks, share of the bubble)", BubbleTable(one));
  text += Section("Critical path", CriticalPathTable(r));
  text += Section("Memory of one GPU", MemoryTable(r) + Wrap(PeakHolders(r)));
  if (r.costs.spread > Duration()) text += Section("Where the costs come from", CostsTable(r));
  text += SensitivityTable(r);
  text += Assumptions(r);
  return text + "\nReproduce: " + command + "\n";
}

std::string CompareText(const std::vector<StepResult>& results, const std::string& command) {
  if (results.empty()) return "";
  std::string text = Wrap(CompareVerdict(results)) + "\n" + Head(results);
  text += Section("Schedules", SummaryTable(results));
  text += Section("Where the time goes (mean over ranks)",
                  BreakdownTable(results) + ActionTable(results));
  text += Section("Why ranks wait (mean over ranks, share of the bubble)", BubbleTable(results));
  text += std::string(kLegend) + "\n\n";
  for (const StepResult& r : results) {
    text += Section(Label(r.schedule), AsciiTimeline(r, kColumns));
  }
  text += Assumptions(results.front());
  return text + "\nReproduce: " + command + "\n";
}

}  // namespace pipescope::reports
