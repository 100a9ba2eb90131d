// The worked example of kernels/README.md: its check passes, finds a wrong kernel, and it is timed.
#include <gtest/gtest.h>

#include "kernels/bench/check.h"
#include "tests/examples/relu_squared.h"

namespace pipescope::kernels {
namespace {

TEST(AddAKernel, IsCheckedAndTimed) {
  const bench::Op op = ReluSquaredOp();
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const bench::Checked checked = op.check(seed).value();
    EXPECT_TRUE(checked.well()) << checked.failure;
    EXPECT_EQ(checked.cases, 3);
  }
  const bench::Timed timed = bench::TimeTrial(op.trial(op.shapes.front(), 0).value()).value();
  EXPECT_FALSE(timed.each.empty());
  EXPECT_EQ(timed.bytes, Bytes(8 << 20));
}

TEST(AddAKernel, AWrongOneWouldBeFound) {
  const std::vector<float> x = {1, -1, 2};
  bench::Checked checked = {.limit = 1e-13};
  bench::Note(checked, "without the maximum", bench::Widen(std::vector<float>{1, 1, 4}),
              ReluSquaredTruth(x));
  EXPECT_FALSE(checked.well());
}

}  // namespace
}  // namespace pipescope::kernels
