// Whether an exchange does what the truth says.
//
// Dispatch, its counts by expert, combine with and without weights, and the dispatch with an old
// plan must equal truth.h's to the bit. Besides, combine must be as near to the sum in double as
// its roundings allow: |result - sum| <= (2 x 2^-8 + ranks x 2^-23) x sum of |values|, plus what
// subnormals lose.
#pragma once

#include <string>

#include "kernels/exchange/cases.h"
#include "kernels/exchange/exchange.h"

namespace pipescope::kernels::exchange {

struct CheckResult {
  std::string failure;        // empty: all is equal
  int64_t rows = 0;           // received, over all ranks
  double worst_rounding = 0;  // of the bound above
};

// One dispatch, two combines, one dispatch with the old plan. An error is one of the exchange's.
Result<CheckResult> CheckExchange(Exchange& exchange, const Config& config, Routing routing,
                                  bool uneven, uint64_t seed);

}  // namespace pipescope::kernels::exchange
