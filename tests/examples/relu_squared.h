#pragma once

#include <span>
#include <vector>

#include "kernels/bench/op.h"

namespace pipescope::kernels {

// y[i] = max(x[i], 0)^2, FP32, as many of both.
void ReluSquared(std::span<const float> x, std::span<float> y);
std::vector<double> ReluSquaredTruth(std::span<const float> x);

bench::Op ReluSquaredOp();

}  // namespace pipescope::kernels
