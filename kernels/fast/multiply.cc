// The product of gemm.h, by OpenBLAS.
#include <cblas.h>

#include "kernels/fast/gemm.h"
#include "sim/base/result.h"

namespace pipescope::kernels::fast {
namespace {

int Int(int64_t value) { return static_cast<int>(value); }

// Before main: OpenBLAS would otherwise divide a call among threads of its own.
const bool kOneThread = [] {
  openblas_set_num_threads(1);
  return true;
}();

}  // namespace

void Multiply(const View& a, Turned turn_a, const View& b, Turned turn_b, float by, bool add,
              float* c, int64_t stride) {
  PIPESCOPE_CHECK(kOneThread);
  const int64_t rows = turn_a == Turned::kYes ? a.columns : a.rows;
  const int64_t inner = turn_a == Turned::kYes ? a.rows : a.columns;
  const int64_t columns = turn_b == Turned::kYes ? b.rows : b.columns;
  PIPESCOPE_CHECK(inner == (turn_b == Turned::kYes ? b.columns : b.rows));
  if (rows == 0 || columns == 0) return;
  const auto turn = [](Turned t) { return t == Turned::kYes ? CblasTrans : CblasNoTrans; };
  cblas_sgemm(CblasRowMajor, turn(turn_a), turn(turn_b), Int(rows), Int(columns), Int(inner), by,
              a.data, Int(a.stride), b.data, Int(b.stride), add ? 1.0F : 0.0F, c, Int(stride));
}

}  // namespace pipescope::kernels::fast
