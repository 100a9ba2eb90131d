#include "kernels/train/rms_norm.h"

#include <cmath>

#include "kernels/train/rows.h"

namespace pipescope::kernels {
namespace {

double ReciprocalOf(std::span<const float> row, double epsilon) {
  PIPESCOPE_CHECK(epsilon > 0);
  double squares = 0;
  for (const double x : row) squares += x * x;
  return 1 / std::sqrt(squares / static_cast<double>(row.size()) + epsilon);
}

}  // namespace

std::vector<float> RmsNorm(std::span<const float> x, std::span<const float> weight,
                           double epsilon) {
  const Rows rows(x, static_cast<int64_t>(weight.size()));
  std::vector<double> y;
  y.reserve(x.size());
  for (size_t t = 0; t < rows.count(); ++t) {
    const double r = ReciprocalOf(rows[t], epsilon);
    for (size_t c = 0; c < weight.size(); ++c) y.push_back(rows[t][c] * r * weight[c]);
  }
  return Narrow(y);
}

std::vector<float> RmsNormInputGradient(std::span<const float> x, std::span<const float> weight,
                                        std::span<const float> dy, double epsilon) {
  PIPESCOPE_CHECK(x.size() == dy.size());
  const int64_t columns = static_cast<int64_t>(weight.size());
  const Rows rows(x, columns), gradients(dy, columns);
  std::vector<double> dx;
  dx.reserve(x.size());
  for (size_t t = 0; t < rows.count(); ++t) {
    const double r = ReciprocalOf(rows[t], epsilon);
    double product = 0;  // of the row and the gradient of the normalised row
    for (size_t c = 0; c < weight.size(); ++c) {
      product += double{weight[c]} * gradients[t][c] * rows[t][c];
    }
    const double mean = product / static_cast<double>(columns);
    for (size_t c = 0; c < weight.size(); ++c) {
      dx.push_back(r * (double{weight[c]} * gradients[t][c] - rows[t][c] * r * r * mean));
    }
  }
  return Narrow(dx);
}

std::vector<float> RmsNormWeightGradient(std::span<const float> x, std::span<const float> dy,
                                         int64_t columns, double epsilon) {
  PIPESCOPE_CHECK(x.size() == dy.size());
  const Rows rows(x, columns), gradients(dy, columns);
  std::vector<double> dw(rows.columns());
  for (size_t t = 0; t < rows.count(); ++t) {
    const double r = ReciprocalOf(rows[t], epsilon);
    for (size_t c = 0; c < dw.size(); ++c) dw[c] += double{gradients[t][c]} * rows[t][c] * r;
  }
  return Narrow(dw);
}

}  // namespace pipescope::kernels
