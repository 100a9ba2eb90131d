// A rank's row of a schedule's picture: its actions as rectangles, in pixels.
//
//   x = left + time * scale; a rectangle is as wide as its action is long, less a hairline
//
// Forward, backward (B and I alike) and weight gradient have a colour each, a pair has its
// forward's above its backward's. Lighter are the micro-batches of the second direction of a
// bidirectional schedule, else every other stage of a rank. What is narrower than `least` is
// joined with its neighbours into one column of that width, which the colours share by their time,
// F above B above W above idle: so a row has at most some 6 * width / least rectangles, however
// many its actions.
//
// Example: with least 1 and scale 0.25, the actions 0F0 0B0 0F1 0B1 of lengths 1 2 1 2 become a
// column of 0F0, 0B0 and 0F1 that is half F and half B, 1 wide, and one of 0B1, 0.5 wide.
#pragma once

#include <string>
#include <vector>

#include "reports/schedule_panel.h"

namespace pipescope::reports {

struct SvgScale {
  double left = 0;   // x of time 0
  double scale = 1;  // pixels a unit of time
  double least = 1;  // pixels
  double height = 20;
  bool named = true;  // every rectangle has its token and times as a tooltip
};

// Which actions are lighter; made once a panel.
class SvgTint {
 public:
  explicit SvgTint(const schedules::Schedule& schedule);

  bool Lighter(size_t rank, StageId stage, MicrobatchId microbatch) const;
  bool bidirectional() const { return bidirectional_; }
  bool any() const { return any_; }

 private:
  std::vector<bool> second_direction_;           // [micro-batch]
  std::vector<std::vector<StageId>> stages_of_;  // [rank], ascending
  bool bidirectional_ = false;
  bool any_ = false;
};

// At y = 0; the caller moves it to its place.
std::string SvgRow(const SchedulePanel& panel, size_t rank, const SvgTint& tint,
                   const SvgScale& scale);

// A coordinate, to a hundredth.
std::string SvgNumber(double pixels);

}  // namespace pipescope::reports
