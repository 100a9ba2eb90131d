#include "sim/result/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <tuple>

#include "schedules/token.h"
#include "sim/base/quantity.h"

namespace pipescope {
namespace {

using schedules::Action;
using schedules::ActionKind;
using timeline::ActionSpan;

// Below this share of a step a difference is not worth a sentence.
constexpr double kNegligible = 1e-6;

bool HasBackward(ActionKind kind) {
  return kind == ActionKind::kBackward || kind == ActionKind::kInputGrad ||
         kind == ActionKind::kOverlapped;
}
bool HasForward(ActionKind kind) {
  return kind == ActionKind::kForward || kind == ActionKind::kOverlapped;
}

std::string Longer(double before, double now) {
  return fmt::format("{} -> {} ({}{})", Format(Seconds(before)), Format(Seconds(now)),
                     now >= before ? "+" : "-", Format(Seconds(std::abs(now - before))));
}

class Explanation {
 public:
  Explanation(const Fingerprint& before, const StepResult& now)
      : before_(before),
        now_(now),
        print_(FingerprintOf(now)),
        negligible_(kNegligible * now.step_time.seconds()) {
    const auto& actions = now.timeline.actions;
    for (size_t i = 0; i < actions.size(); ++i) {
      const Action& a = actions[i].action;
      const int index = static_cast<int>(i);
      if (HasForward(a.kind)) makes_[{false, a.stage.value(), a.microbatch.value()}] = index;
      if (!HasBackward(a.kind)) continue;
      const bool pair = a.kind == ActionKind::kOverlapped;
      makes_[{true, (pair ? a.backward_stage : a.stage).value(),
              (pair ? a.backward_microbatch : a.microbatch).value()}] = index;
    }
  }

  std::vector<std::string> Slower() {
    const int waits = MostGrown(&RankPrint::bubble_s), works = MostGrown(&RankPrint::busy_s);
    const auto grown = [&](int rank, double RankPrint::*figure) {
      return rank < 0 ? 0 : Is(rank).*figure - Was(rank).*figure;
    };
    std::vector<std::string> text;
    if (waits >= 0) text.push_back(Bubble(waits));
    if (works >= 0) text.push_back(Busy(works));
    if (grown(works, &RankPrint::busy_s) > grown(waits, &RankPrint::bubble_s)) {
      std::reverse(text.begin(), text.end());
    }
    return text;
  }

 private:
  // The rank with the largest growth of a figure, or -1.
  int MostGrown(double RankPrint::*figure) const {
    int most = -1;
    double growth = negligible_;
    for (size_t r = 0; r < print_.size(); ++r) {
      const double grown = print_[r].*figure - before_[r].*figure;
      if (grown <= growth) continue;
      growth = grown;
      most = static_cast<int>(r);
    }
    return most;
  }

  const RankPrint& Was(int rank) const { return before_[static_cast<size_t>(rank)]; }
  const RankPrint& Is(int rank) const { return print_[static_cast<size_t>(rank)]; }
  const ActionSpan& At(int index) const {
    return now_.timeline.actions[static_cast<size_t>(index)];
  }

  std::string Bubble(int rank) const {
    std::string text =
        fmt::format("rank {}: bubble {}.", rank, Longer(Was(rank).bubble_s, Is(rank).bubble_s));
    std::string most;
    for (const auto& [wait, seconds] : Is(rank).waits_s) {
      if (Growth(rank, wait) <= negligible_) continue;
      if (most.empty() || Growth(rank, wait) > Growth(rank, most)) most = wait;
    }
    if (most.empty()) return text;
    const timeline::Gap* longest = Longest(rank, most);
    const double now = Is(rank).waits_s.at(most);
    text += fmt::format(" {} grew most, {}", Words(most), Longer(now - Growth(rank, most), now));
    if (longest->before_action < 0) return text + ".";
    text += fmt::format("; the longest, {} before {}, was ended by",
                        Format(longest->end - longest->start),
                        schedules::ToToken(At(longest->before_action).action));
    return text + Chain(longest->before_action);
  }

  // "drain 3B" as "Drain before 3B".
  static std::string Words(const std::string& wait) {
    const size_t blank = wait.rfind(' ');
    std::string cause = wait.substr(0, blank);
    cause[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(cause[0])));
    const std::string until = wait.substr(blank + 1);
    return cause + (until == "end" ? " until the pipeline's end" : " before " + until);
  }

  double Growth(int rank, const std::string& wait) const {
    const auto& waits = Was(rank).waits_s;
    const auto at = waits.find(wait);
    return Is(rank).waits_s.at(wait) - (at == waits.end() ? 0 : at->second);
  }

  const timeline::Gap* Longest(int rank, const std::string& wait) const {
    const timeline::Gap* longest = nullptr;
    for (const timeline::Gap& gap : now_.bubbles.gaps) {
      if (gap.rank != rank || WaitOf(now_, gap) != wait) continue;
      if (longest == nullptr || gap.end - gap.start > longest->end - longest->start) longest = &gap;
    }
    return longest;
  }

  // From the action that a wait was for to the one that grew by itself.
  std::string Chain(int action) const {
    std::string text;
    constexpr int kMostHops = 64;
    for (int hop = 0; hop < kMostHops; ++hop) {
      const int input = LastInput(action);
      if (input < 0) return hop == 0 ? " its own rank." : text + ".";
      const ActionSpan& span = At(input);
      const bool goes_on = WaitedLonger(input) && hop + 1 < kMostHops;
      if (hop == 0 || !goes_on) {
        text += fmt::format("{} {} of rank {}",
                            hop > 1    ? ", in the end by"
                            : hop == 1 ? ", that by"
                                       : "",
                            schedules::ToToken(span.action), span.rank);
      }
      if (!goes_on) return text + Cause(span);
      action = input;
    }
    return text + ".";
  }

  // Whether the rank of an action had waited for it, and such waits grew.
  bool WaitedLonger(int index) const {
    return std::any_of(
        now_.bubbles.gaps.begin(), now_.bubbles.gaps.end(), [&](const timeline::Gap& gap) {
          return gap.before_action == index && Growth(gap.rank, WaitOf(now_, gap)) > negligible_;
        });
  }

  std::string Cause(const ActionSpan& span) const {
    const std::string kind = KindOf(span.action);
    const auto& was = Was(span.rank).actions_s;
    const auto at = was.find(kind);
    const double mean = Is(span.rank).actions_s.at(kind);
    if (at == was.end()) return ". It had no actions " + kind + " before.";
    if (mean - at->second <= negligible_ / 100) {
      return fmt::format(". Its actions {} take what they took: what it does before is longer.",
                         kind);
    }
    return fmt::format(". Its actions {} take {} in the mean.", kind, Longer(at->second, mean));
  }

  // The input on another rank that was ready last, or -1.
  int LastInput(int index) const {
    const ActionSpan& span = At(index);
    const Action& a = span.action;
    int last = -1;
    const auto consider = [&](bool backward, int stage, int microbatch) {
      const auto at = makes_.find({backward, stage, microbatch});
      if (at == makes_.end() || At(at->second).rank == span.rank) return;
      if (last < 0 || At(at->second).end > At(last).end) last = at->second;
    };
    if (HasForward(a.kind)) consider(false, a.stage.value() - 1, a.microbatch.value());
    const bool pair = a.kind == ActionKind::kOverlapped;
    if (HasBackward(a.kind)) {
      consider(true, (pair ? a.backward_stage : a.stage).value() + 1,
               (pair ? a.backward_microbatch : a.microbatch).value());
    }
    return last;
  }

  std::string Busy(int rank) const {
    std::string text =
        fmt::format("rank {}: works {}.", rank, Longer(Was(rank).busy_s, Is(rank).busy_s));
    std::string most;
    double growth = 0;
    for (const auto& [kind, mean] : Is(rank).actions_s) {
      const auto at = Was(rank).actions_s.find(kind);
      const double grown = mean - (at == Was(rank).actions_s.end() ? 0 : at->second);
      if (grown <= growth) continue;
      growth = grown;
      most = kind;
    }
    if (most.empty()) return text;
    const auto at = Was(rank).actions_s.find(most);
    if (at == Was(rank).actions_s.end()) return text + " It had no actions " + most + " before.";
    return text + fmt::format(" Actions {} take {} in the mean.", most,
                              Longer(at->second, Is(rank).actions_s.at(most)));
  }

  const Fingerprint& before_;
  const StepResult& now_;
  const Fingerprint print_;
  const double negligible_;
  std::map<std::tuple<bool, int, int>, int> makes_;  // (backward, stage, micro-batch) to action
};

}  // namespace

std::vector<std::string> ExplainSlower(const Fingerprint& before, const StepResult& now) {
  const size_t ranks = static_cast<size_t>(now.timeline.ranks);
  if (before.empty()) return {};
  if (before.size() != ranks) {
    return {fmt::format("the baseline remembers {} ranks, the step has {}", before.size(), ranks)};
  }
  return Explanation(before, now).Slower();
}

std::vector<std::string> ExplainFuller(const Fingerprint& before, const StepResult& now) {
  if (before.empty() || before.size() != now.memory.size()) return {};
  const Fingerprint print = FingerprintOf(now);
  size_t most = 0;
  const auto grown = [&](size_t r) { return print[r].peak_bytes - before[r].peak_bytes; };
  for (size_t r = 1; r < print.size(); ++r) {
    if (grown(r) > grown(most)) most = r;
  }
  if (grown(most) <= 0) return {};
  const auto gib = [](double bytes) { return FormatGiB(Bytes(static_cast<int64_t>(bytes))); };
  const double activations = print[most].activations_bytes - before[most].activations_bytes;
  return {fmt::format("rank {}: peak {} -> {}; its activations {} -> {}, the rest {}{}", most,
                      gib(before[most].peak_bytes), gib(print[most].peak_bytes),
                      gib(before[most].activations_bytes), gib(print[most].activations_bytes),
                      grown(most) - activations < 0 ? "-" : "+",
                      gib(std::abs(grown(most) - activations)))};
}

}  // namespace pipescope
