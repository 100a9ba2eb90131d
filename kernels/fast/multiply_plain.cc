// The product of gemm.h where there is no OpenBLAS (kernels/standalone/build.sh): for checks on
// small shapes, a hundredth of its speed.
#include "kernels/fast/gemm.h"
#include "sim/base/result.h"

namespace pipescope::kernels::fast {

void Multiply(const View& a, Turned turn_a, const View& b, Turned turn_b, float by, bool add,
              float* c, int64_t stride) {
  const int64_t rows = turn_a == Turned::kYes ? a.columns : a.rows;
  const int64_t inner = turn_a == Turned::kYes ? a.rows : a.columns;
  const int64_t columns = turn_b == Turned::kYes ? b.rows : b.columns;
  PIPESCOPE_CHECK(inner == (turn_b == Turned::kYes ? b.columns : b.rows));
  const auto at = [](const View& v, Turned turn, int64_t row, int64_t column) {
    return turn == Turned::kYes ? v.data[column * v.stride + row] : v.data[row * v.stride + column];
  };
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t n = 0; n < columns; ++n) {
      float sum = 0;
      for (int64_t k = 0; k < inner; ++k) sum += at(a, turn_a, r, k) * at(b, turn_b, k, n);
      float& to = c[r * stride + n];
      to = by * sum + (add ? to : 0);
    }
  }
}

}  // namespace pipescope::kernels::fast
