// 1 / (1 + e^-x), in (0, 1): right for every finite x, since e^-x may overflow to infinity.
#pragma once

#include <cmath>

namespace pipescope::kernels {

inline double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace pipescope::kernels
