// Squared ReLU, the activation of Primer (arXiv 2109.08668): y = max(x, 0)^2, dx = 2 max(x, 0) dy.
#include "tests/examples/relu_squared.h"

#include <algorithm>

#include "kernels/bench/check.h"
#include "kernels/bench/cpu_timer.h"

namespace pipescope::kernels {

// The truth: in double, as the formula reads.
std::vector<double> ReluSquaredTruth(std::span<const float> x) {
  std::vector<double> y;
  for (const double value : x) y.push_back(value > 0 ? value * value : 0);
  return y;
}

// Fast: branchless, so that it vectorises.
void ReluSquared(std::span<const float> x, std::span<float> y) {
  for (size_t i = 0; i < x.size(); ++i) {
    const float positive = std::max(x[i], 0.0F);
    y[i] = positive * positive;
  }
}

bench::Op ReluSquaredOp() {
  using namespace bench;
  Op op = {.name = "relu_squared", .backend = "vectorised", .device = Device::kCpu};
  op.truth = "the formula in double";
  op.baseline = "copy of the same bytes";
  op.kind = measured::Kind::kMemory;
  op.shapes = {{{"values", 1 << 20}}};
  op.sizes = {{"values"}};  // of other sizes its time is predicted, and held against measurements
  op.bytes = [](const Shape& shape) { return Bytes(8 * At(shape, "values")); };
  op.check = [](uint64_t seed) -> Result<Checked> {
    Checked checked = {.limit =
                           1e-13};  // one rounding to float: 2^-24 relative, squared and halved
    Draw draw(seed);
    for (const int64_t values : {1, 7, 1000}) {  // tails of any vector width
      const std::vector<float> x = DrawNormal(draw, values);
      std::vector<float> y(x.size(), -1);  // poisoned: what is not written is found
      ReluSquared(x, y);
      Note(checked, "normal numbers", Widen(y), ReluSquaredTruth(x));
    }
    return checked;
  };
  op.trial = [bytes = op.bytes](const Shape& shape, int) -> Result<Trial> {
    const std::vector<float> ones(static_cast<size_t>(At(shape, "values")), 1);
    const auto run = [x = ones, y = ones]() mutable { ReluSquared(x, y); };
    return BesideCopy(run, Flops(2.0 * static_cast<double>(ones.size())), bytes(shape));
  };
  return op;
}

}  // namespace pipescope::kernels
