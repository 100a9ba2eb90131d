#include "reports/schedule_svg_row.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "schedules/token.h"

namespace pipescope::reports {
namespace {

using schedules::Action;
using schedules::ActionKind;

constexpr double kHairline = 0.8;  // between neighbours, where they are wide enough
constexpr double kSliver = 0.25;
constexpr double kLeastRowForText = 14;
// Widths in a wide font, of its size; W is the widest letter.
constexpr double kDigit = 0.64, kLetter = 1.0;

double Hundredths(double pixels) { return std::round(pixels * 100) / 100; }

// What a rectangle is drawn as.
struct Look {
  char letter = 'F';  // F, I, B or W
  bool lighter = false;
  MicrobatchId microbatch = {};

  // The class of its colour: "f", "b", "w", with a 1 where lighter.
  std::string Class() const {
    const char colour = letter == 'F' ? 'f' : letter == 'W' ? 'w' : 'b';
    return std::string(1, colour) + (lighter ? "1" : "");
  }
  // White letters on the dark blue, dark ones on all else.
  const char* TextClass() const { return letter == 'F' && !lighter ? "l" : "k"; }
};

char LetterOf(ActionKind kind) {
  return kind == ActionKind::kForward      ? 'F'
         : kind == ActionKind::kInputGrad  ? 'I'
         : kind == ActionKind::kWeightGrad ? 'W'
                                           : 'B';
}

class Row {
 public:
  Row(const SchedulePanel& panel, size_t rank, const SvgTint& tint, const SvgScale& scale)
      : panel_(panel), rank_(rank), tint_(tint), scale_(scale) {}

  std::string Draw() {
    const auto& actions = panel_.schedule.actions[rank_];
    auto id = static_cast<size_t>(panel_.prepared.flow.offset[rank_]);
    for (const Action& action : actions) {
      Add(action, panel_.timing.start[id], panel_.timing.end[id]);
      ++id;
    }
    Flush();
    return std::move(svg_);
  }

 private:
  void Add(const Action& action, double start, double end) {
    const double from = scale_.left + start * scale_.scale;
    const double to = scale_.left + end * scale_.scale;
    if (to <= from) return;  // takes no time
    if (to - from >= scale_.least) {
      Flush();
      DrawAction(action, from, to, Tooltip(action, start, end));
      return;
    }
    if (pending_ && from - to_ >= scale_.least) Flush();
    Join(action, from, to);
    if (to_ - from_ >= scale_.least) Flush();
  }

  std::vector<Look> LooksOf(const Action& action) const {
    std::vector<Look> looks = {
        {action.kind == ActionKind::kOverlapped ? 'F' : LetterOf(action.kind),
         tint_.Lighter(rank_, action.stage, action.microbatch), action.microbatch}};
    if (action.kind == ActionKind::kOverlapped) {
      looks.push_back({'B', tint_.Lighter(rank_, action.backward_stage, action.backward_microbatch),
                       action.backward_microbatch});
    }
    return looks;
  }

  void Join(const Action& action, double from, double to) {
    if (!pending_) {
      pending_ = true;
      // A sliver of idle time between two columns would show as a stray line, or not at all.
      from_ = from - drawn_to_ < kSliver ? drawn_to_ : from;
      shares_ = {};
    }
    to_ = to;
    const auto looks = LooksOf(action);
    for (const Look& look : looks) {
      shares_[look.letter == 'F'   ? 0
              : look.letter == 'W' ? 2
                                   : 1] += (to - from) / static_cast<double>(looks.size());
    }
  }

  void Flush() {
    if (!pending_) return;
    pending_ = false;
    drawn_to_ = to_;
    const double whole = to_ - from_;  // idle time between them included: the ground shows
    double top = 0;
    for (size_t i = 0; i < shares_.size(); ++i) {
      if (shares_[i] <= 0) continue;
      const double height = scale_.height * shares_[i] / whole;
      Rectangle({"FBW"[i]}, from_, to_, top, height, "");
      top += height;
    }
  }

  std::string Tooltip(const Action& action, double start, double end) const {
    if (!scale_.named) return "";
    return fmt::format("<title>{}: {:.6g} to {:.6g}</title>", ToToken(action), start, end);
  }

  void DrawAction(const Action& action, double from, double to, const std::string& tooltip) {
    const double gap = to - from >= 4 ? kHairline : 0;
    const auto looks = LooksOf(action);
    const double height = scale_.height / static_cast<double>(looks.size());
    for (size_t i = 0; i < looks.size(); ++i) {
      const double top = static_cast<double>(i) * height;
      Rectangle(looks[i], from, to - gap, top, height, tooltip);
      if (scale_.height >= kLeastRowForText) Label(looks[i], from, to - gap, top, height);
    }
  }

  void Rectangle(const Look& look, double from, double to, double top, double height,
                 const std::string& tooltip) {
    svg_ += fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
                        look.Class(), SvgNumber(from), SvgNumber(top),
                        SvgNumber(Hundredths(to) - Hundredths(from)), SvgNumber(height));
    svg_ += tooltip.empty() ? "/>\n" : ">" + tooltip + "</rect>\n";
  }

  // Letter and micro-batch where any action's would fit, else the micro-batch where any would.
  void Label(const Look& look, double from, double to, double top, double height) {
    const double size = height < kLeastRowForText ? 8.5 : 10.5;
    const auto digits =
        static_cast<double>(std::to_string(panel_.schedule.microbatches - 1).size());
    const double number = digits * kDigit * size + 1, room = to - from;
    if (height < 9 || number > room) return;
    std::string label = std::to_string(look.microbatch.value());
    if (number + kLetter * size <= room) label.insert(label.begin(), look.letter);
    svg_ += fmt::format("<text class=\"{}\" x=\"{}\" y=\"{}\" font-size=\"{}\">{}</text>\n",
                        look.TextClass(), SvgNumber((from + to) / 2),
                        SvgNumber(top + height / 2 + size * 0.36), size, label);
  }

  const SchedulePanel& panel_;
  size_t rank_;
  const SvgTint& tint_;
  const SvgScale& scale_;
  std::string svg_;
  // Narrow actions that will be one rectangle.
  bool pending_ = false;
  double from_ = 0, to_ = 0;
  double drawn_to_ = 0;                // where the last such rectangle ends
  std::array<double, 3> shares_ = {};  // time of F, B and I, W
};

}  // namespace

SvgTint::SvgTint(const schedules::Schedule& schedule)
    : second_direction_(static_cast<size_t>(schedule.microbatches), false) {
  std::vector<size_t> first_rank(second_direction_.size(), 0);
  for (size_t r = 0; r < schedule.actions.size(); ++r) {
    auto& stages = stages_of_.emplace_back();
    for (const Action& action : schedule.actions[r]) {
      if (!HasForward(action)) continue;
      stages.push_back(action.stage);
      if (action.stage == StageId(0)) first_rank[action.microbatch.index()] = r;
    }
    std::sort(stages.begin(), stages.end());
    stages.erase(std::unique(stages.begin(), stages.end()), stages.end());
    any_ |= stages.size() > 1;
  }
  for (size_t m = 0; m < first_rank.size(); ++m) {
    second_direction_[m] = first_rank[m] != first_rank[0];
    bidirectional_ |= second_direction_[m];
  }
}

bool SvgTint::Lighter(size_t rank, StageId stage, MicrobatchId microbatch) const {
  if (bidirectional_) return second_direction_[microbatch.index()];
  const auto& stages = stages_of_[rank];
  return (std::lower_bound(stages.begin(), stages.end(), stage) - stages.begin()) % 2 == 1;
}

std::string SvgRow(const SchedulePanel& panel, size_t rank, const SvgTint& tint,
                   const SvgScale& scale) {
  return Row(panel, rank, tint, scale).Draw();
}

std::string SvgNumber(double pixels) { return fmt::format("{:.8g}", Hundredths(pixels)); }

}  // namespace pipescope::reports
