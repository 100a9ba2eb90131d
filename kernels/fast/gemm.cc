#include "kernels/fast/gemm.h"

#include "sim/base/result.h"

namespace pipescope::kernels::fast {
namespace {

View Whole(std::span<const float> values, int64_t columns) {
  PIPESCOPE_CHECK(columns > 0 && static_cast<int64_t>(values.size()) % columns == 0);
  return {values.data(), static_cast<int64_t>(values.size()) / columns, columns, columns};
}

std::vector<float> Product(const View& a, Turned turn_a, const View& b, Turned turn_b) {
  const int64_t rows = turn_a == Turned::kYes ? a.columns : a.rows;
  const int64_t columns = turn_b == Turned::kYes ? b.rows : b.columns;
  std::vector<float> c(static_cast<size_t>(rows * columns));
  Multiply(a, turn_a, b, turn_b, 1, false, c.data(), columns);
  return c;
}

}  // namespace

std::vector<float> Linear(std::span<const float> x, std::span<const float> w, int64_t in) {
  return Product(Whole(x, in), Turned::kNo, Whole(w, in), Turned::kYes);
}

std::vector<float> LinearInputGradient(std::span<const float> dy, std::span<const float> w,
                                       int64_t in) {
  const View weights = Whole(w, in);
  return Product(Whole(dy, weights.rows), Turned::kNo, weights, Turned::kNo);
}

std::vector<float> LinearWeightGradient(std::span<const float> x, std::span<const float> dy,
                                        int64_t in, int64_t out) {
  return Product(Whole(dy, out), Turned::kYes, Whole(x, in), Turned::kNo);
}

}  // namespace pipescope::kernels::fast
