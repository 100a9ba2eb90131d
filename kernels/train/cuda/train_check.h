// The training operations on the GPU at hand against the truth.
//
// Each operation runs on fresh random inputs that BF16 holds exactly, at sizes with tails (rows
// that do not fill the grid, experts without tokens, tokens without experts), into outputs that are
// poisoned with NaN. The difference is
//   1 - 2 <x, y> / (<x, x> + <y, y>)     over all values, in double
// which rounding to BF16 leaves below 2^-16 for values of one size, and any misplaced row far
// above.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/result.h"

namespace pipescope::kernels::cuda {

struct TrainCheck {
  std::string operation;
  double difference = 0;  // NaN where an output was left poisoned
  double allowed = 0;
  bool right() const { return difference <= allowed; }
};

// Of one operation, its forward pass and gradients, or of all where `only` is empty. Fails where
// there is no GPU, or it fails.
Result<std::vector<TrainCheck>> CheckTrainOnGpu(uint32_t seed, const std::string& only = "");

}  // namespace pipescope::kernels::cuda
