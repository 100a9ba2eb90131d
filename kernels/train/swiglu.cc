#include "kernels/train/swiglu.h"

#include "kernels/train/rows.h"
#include "kernels/train/sigmoid.h"

namespace pipescope::kernels {

std::vector<float> SwiGlu(std::span<const float> x, int64_t columns) {
  const Rows rows(x, 2 * columns);
  const size_t width = static_cast<size_t>(columns);
  std::vector<double> y;
  y.reserve(x.size() / 2);
  for (size_t t = 0; t < rows.count(); ++t) {
    for (size_t c = 0; c < width; ++c) {
      const double gate = rows[t][c], up = rows[t][width + c];
      y.push_back(gate * Sigmoid(gate) * up);
    }
  }
  return Narrow(y);
}

std::vector<float> SwiGluInputGradient(std::span<const float> x, std::span<const float> dy,
                                       int64_t columns) {
  const Rows rows(x, 2 * columns), gradients(dy, columns);
  PIPESCOPE_CHECK(rows.count() == gradients.count());
  const size_t width = static_cast<size_t>(columns);
  std::vector<double> dx(x.size());
  for (size_t t = 0; t < rows.count(); ++t) {
    for (size_t c = 0; c < width; ++c) {
      const double gate = rows[t][c], up = rows[t][width + c], gradient = gradients[t][c];
      const double s = Sigmoid(gate);
      dx[t * 2 * width + c] = gradient * up * s * (1 + gate * (1 - s));
      dx[t * 2 * width + width + c] = gradient * gate * s;
    }
  }
  return Narrow(dx);
}

}  // namespace pipescope::kernels
