#include "cli/validate_rounds.h"

namespace pipescope::cli {

ValidateRounds::Next ValidateRounds::After(double new_pages, double elapsed, bool known) {
  const bool patient = ++rounds_ <= kMost && elapsed < patience_;
  const bool cold = patient && rounds_ <= kMostWarmUps && new_pages > kNewPages;
  if (rounds_ == 1 || (counted_ == 0 && cold)) return Next::kAgainFromHere;
  ++counted_;
  return counted_ < repetitions_ || (patient && !known) ? Next::kAgain : Next::kEnd;
}

}  // namespace pipescope::cli
