#include "cli/validate_rounds.h"

#include <algorithm>
#include <cmath>

#include "sim/base/quantile.h"

namespace pipescope::cli {
namespace {

// Of those that follow each other most closely.
std::vector<double> DensestHalf(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  const size_t count = seconds.size() / 2 + 1;
  size_t densest = 0;
  const auto width = [&](size_t first) { return seconds[first + count - 1] - seconds[first]; };
  for (size_t first = 1; first + count <= seconds.size(); ++first) {
    if (width(first) < width(densest)) densest = first;
  }
  const auto begin = seconds.begin() + static_cast<std::ptrdiff_t>(densest);
  return {begin, begin + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace

std::vector<size_t> OfOneSpeed(const std::vector<double>& seconds) {
  std::vector<size_t> places;
  if (seconds.empty()) return places;
  const double typical = Median(DensestHalf(seconds));
  for (size_t i = 0; i < seconds.size(); ++i) {
    if (std::fabs(seconds[i] - typical) <= kSameSpeed * std::fabs(typical)) places.push_back(i);
  }
  return places;
}

ValidateRounds::Next ValidateRounds::After(double new_pages, double elapsed, size_t of_one_speed,
                                           bool known) {
  const bool patient = ++rounds_ <= kMost && elapsed < patience_;
  const bool cold = patient && rounds_ <= kMostWarmUps && new_pages > kNewPages;
  if (rounds_ == 1 || (counted_ == 0 && cold)) return Next::kAgainFromHere;
  ++counted_;
  const bool enough =
      counted_ >= repetitions_ &&
      (of_one_speed >= static_cast<size_t>(repetitions_) || counted_ >= 2 * repetitions_);
  return !enough || (patient && !known) ? Next::kAgain : Next::kEnd;
}

}  // namespace pipescope::cli
