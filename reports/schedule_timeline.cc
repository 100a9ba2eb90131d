#include "reports/schedule_timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "schedules/token.h"

namespace pipescope::reports {
namespace {

using schedules::Action;
using schedules::ActionKind;
using schedules::Prepared;
using schedules::Schedule;
using schedules::Timing;

constexpr int kMargin = 10;  // "rank 1023 "
constexpr int kLongestLabel = 8;

struct Scale {
  double step = 1;     // time
  int characters = 1;  // a step
};

char Letter(ActionKind kind, bool later_stage) {
  const char letter = kind == ActionKind::kForward      ? 'F'
                      : kind == ActionKind::kInputGrad  ? 'I'
                      : kind == ActionKind::kWeightGrad ? 'W'
                                                        : 'B';
  return later_stage ? static_cast<char>(std::tolower(letter)) : letter;
}

// The longest of the action's names that leaves one character of the cell, if any does.
std::string Label(const Action& action, int first_stage, size_t room) {
  const char letter =
      Letter(action.kind == ActionKind::kOverlapped ? ActionKind::kForward : action.kind,
             action.stage.value() != first_stage);
  std::string label = fmt::format("{}{}", letter, action.microbatch.value());
  if (action.kind == ActionKind::kOverlapped) {
    const char backward =
        Letter(ActionKind::kBackward, action.backward_stage.value() != first_stage);
    label += fmt::format("&{}{}", backward, action.backward_microbatch.value());
    if (label.size() <= room) return label;
    label = fmt::format("X{}", action.microbatch.value());
    return label.size() <= room ? label : "X";
  }
  return label.size() <= room ? label : std::string(1, letter);
}

int FirstStage(const std::vector<Action>& actions) {
  int first = actions.empty() ? 0 : actions.front().stage.value();
  for (const Action& action : actions) first = std::min(first, action.stage.value());
  return first;
}

// The least duration that occurs.
double LeastStep(const Prepared& prepared, const Timing& timing) {
  double least = timing.makespan;
  for (const int32_t entry : prepared.duration) {
    const double duration = timing.durations[static_cast<size_t>(entry)];
    if (duration > 0) least = std::min(least, duration);
  }
  return least > 0 ? least : 1;
}

Scale ChooseScale(double step, double makespan, int microbatches) {
  Scale scale;
  scale.step = step;
  const int wanted = 2 + static_cast<int>(std::to_string(microbatches - 1).size());
  const double steps = std::max(1.0, std::ceil(makespan / scale.step));
  const double fits = std::floor((kTimelineColumns - kMargin) / steps);
  scale.characters = static_cast<int>(std::clamp(fits, 1.0, static_cast<double>(wanted)));
  return scale;
}

// The character at which a time begins.
int64_t Column(double time, const Scale& scale) {
  const double column = std::round(time / scale.step * scale.characters);
  return static_cast<int64_t>(std::min(column, 1e9));
}

std::string Row(const std::vector<Action>& actions, const Timing& timing, size_t first_id,
                const Scale& scale, size_t width) {
  const int first_stage = FirstStage(actions);
  std::string row;
  for (size_t i = 0; i < actions.size() && row.size() < width; ++i) {
    const auto begin = static_cast<size_t>(Column(timing.start[first_id + i], scale));
    const auto end = static_cast<size_t>(Column(timing.end[first_id + i], scale));
    if (begin >= width) break;
    if (begin > row.size()) row.resize(begin, '.');
    if (end <= begin) continue;  // takes no time
    const bool spaced = scale.characters > 2;
    std::string cell = Label(actions[i], first_stage, end - begin);
    cell.resize(std::min(end, width + kLongestLabel) - begin, '-');
    if (spaced && cell.back() == '-') cell.back() = ' ';
    row += cell;
  }
  row.resize(width, '.');
  if (row.back() == ' ') row.pop_back();
  return row;
}

std::string Ruler(const Scale& scale, size_t width) {
  // Marks stand at least 9 characters apart, at a whole number of steps.
  const int every = std::max(1, (9 + scale.characters - 1) / scale.characters);
  std::string ruler;
  for (int step = 0;; step += every) {
    const auto at = static_cast<size_t>(step) * static_cast<size_t>(scale.characters);
    if (at >= width) break;
    ruler.resize(std::max(at, ruler.size()), ' ');
    ruler += fmt::format("{:.4g}", step * scale.step);
  }
  return ruler;
}

// Columns up to a time, before and after they are cut to what is shown.
int64_t Whole(double makespan, const Scale& scale) {
  return std::max<int64_t>(1, Column(makespan, scale));
}
size_t Shown(int64_t whole) {
  return static_cast<size_t>(std::min<int64_t>(whole, kTimelineColumns - kMargin));
}

std::string RulerLine(double makespan, const Scale& scale) {
  return fmt::format("{:<{}}{}\n", "time", kMargin, Ruler(scale, Shown(Whole(makespan, scale))));
}

std::string Rows(const Schedule& schedule, const Prepared& prepared, const Timing& timing,
                 const Scale& scale) {
  const int64_t whole = Whole(timing.makespan, scale);
  const size_t width = Shown(whole);
  std::string text;
  const int shown = std::min(schedule.ranks, kTimelineRanks);
  for (int r = 0; r < shown; ++r) {
    const auto rank = static_cast<size_t>(r);
    const auto first_id = static_cast<size_t>(prepared.flow.offset[rank]);
    text += fmt::format("{:<{}}{}\n", fmt::format("rank {}", r), kMargin,
                        Row(schedule.actions[rank], timing, first_id, scale, width));
  }
  if (static_cast<int64_t>(width) < whole) {
    text += fmt::format("cut at time {:.6g} of {:.6g}, where {} columns end\n",
                        static_cast<double>(width) * scale.step / scale.characters, timing.makespan,
                        kTimelineColumns);
  }
  if (shown < schedule.ranks) {
    text += fmt::format("ranks {} to {} are not shown\n", shown, schedule.ranks - 1);
  }
  return text;
}

}  // namespace

std::string TimelineText(const Schedule& schedule, const Prepared& prepared, const Timing& timing) {
  const Scale scale =
      ChooseScale(LeastStep(prepared, timing), timing.makespan, schedule.microbatches);
  return RulerLine(timing.makespan, scale) + Rows(schedule, prepared, timing, scale);
}

std::string TimelinesText(const std::vector<SchedulePanel>& panels) {
  double step = LeastStep(panels.front().prepared, panels.front().timing);
  int microbatches = 1;
  for (const SchedulePanel& panel : panels) {
    step = std::min(step, LeastStep(panel.prepared, panel.timing));
    microbatches = std::max(microbatches, panel.schedule.microbatches);
  }
  const double longest = LongestMakespan(panels);
  const Scale scale = ChooseScale(step, longest, microbatches);
  std::string text = RulerLine(longest, scale);
  for (const SchedulePanel& panel : panels) {
    text += fmt::format("\n{}: {}\n", panel.name, PanelFigures(panel));
    text += Rows(panel.schedule, panel.prepared, panel.timing, scale);
  }
  return text;
}

}  // namespace pipescope::reports
