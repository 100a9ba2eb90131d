#include "schedules/optimize/stretch.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace pipescope::schedules {
namespace {

using enum ActionKind;

using At = Steps::const_iterator;

// One forward and one backward of each slot, and the W's that its I's leave.
bool IsRound(At begin, At end, int slots) {
  std::array<int, 2> forwards = {}, backwards = {}, waiting = {};
  for (At step = begin; step != end; ++step) {
    const size_t s = step->slot;
    if (step->kind == kForward || step->kind == kOverlapped) ++forwards[s];
    if (step->kind == kOverlapped) ++backwards[1 - s];
    if (step->kind == kInputGrad || step->kind == kBackward) ++backwards[s];
    if (step->kind == kInputGrad) ++waiting[s];
    if (step->kind == kWeightGrad) --waiting[s];
  }
  for (size_t s = 0; s < static_cast<size_t>(slots); ++s) {
    if (forwards[s] != 1 || backwards[s] != 1 || waiting[s] != 0) return false;
  }
  return true;
}

// The length of the round that stands at `from`, `rows` (1 or 2) times in a
// row; 0: none.
size_t RoundAt(const Steps& steps, size_t from, int slots, size_t rows) {
  for (size_t length = 1; length <= 3 * static_cast<size_t>(slots); ++length) {
    if (from + rows * length > steps.size()) return 0;
    const At begin = steps.begin() + static_cast<std::ptrdiff_t>(from);
    const At middle = begin + static_cast<std::ptrdiff_t>(length);
    if (!IsRound(begin, middle, slots)) continue;
    if (rows == 1 || std::equal(begin, middle, middle)) return length;
  }
  return 0;
}

bool Repeat(Steps& steps, int slots, int times, size_t rows) {
  const size_t middle = steps.size() / 2;
  for (size_t away = 0; away <= middle; ++away) {
    for (const size_t from : {middle - away, middle + away}) {
      const size_t length = RoundAt(steps, from, slots, rows);
      if (length == 0) continue;
      const At begin = steps.begin() + static_cast<std::ptrdiff_t>(from);
      const Steps round(begin, begin + static_cast<std::ptrdiff_t>(length));
      Steps longer(steps.cbegin(), begin);
      for (int i = 0; i < times; ++i) longer.insert(longer.end(), round.begin(), round.end());
      longer.insert(longer.end(), begin, steps.cend());
      steps = std::move(longer);
      return true;
    }
  }
  return false;
}

}  // namespace

std::optional<StepOrder> Stretch(const PlacedProblem& problem, int few, const StepOrder& order) {
  StepOrder longer = order;
  const bool halves = problem.placement == Placement::kBidirectional;
  const int times = problem.of_slot() - (halves ? few / 2 : few);
  for (int r = 0; r < problem.ranks; ++r) {
    Steps& steps = longer[static_cast<size_t>(r)];
    if (times > 0 && !Repeat(steps, problem.slots(), times, 2) &&
        !Repeat(steps, problem.slots(), times, 1)) {
      return {};
    }
    if (!Fits(problem, r, steps)) return {};
  }
  return longer;
}

}  // namespace pipescope::schedules
