#include "kernels/fp8/tensor_core.h"

#include <algorithm>
#include <climits>
#include <cmath>

namespace pipescope::kernels {

double CutOff(double value, int exponent) {
  const int shift = kFractionBitsKept - exponent;
  return std::ldexp(std::trunc(std::ldexp(value, shift)), -shift);
}

double TensorCoreAdd(double accumulator, std::span<const double> products) {
  int exponent = INT_MIN;
  const auto look = [&exponent](double value) {
    if (value != 0) exponent = std::max(exponent, std::ilogb(value));
  };
  look(accumulator);
  for (const double product : products) look(product);
  if (exponent == INT_MIN) return 0;
  double sum = CutOff(accumulator, exponent);
  for (const double product : products) sum += CutOff(product, exponent);
  return sum == 0 ? 0 : CutOff(sum, std::ilogb(sum));
}

}  // namespace pipescope::kernels
