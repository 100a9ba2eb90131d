// Ranks as threads, with one or several a rank: what ThreadSanitizer is to see
// (bazel test --config=tsan //tests/kernels:exchange_threads_test).
#include "tests/kernels/exchange_testing.h"

namespace pipescope::kernels::exchange {
namespace {

TEST(ExchangeThreads, OneForARank) {
  ExpectAllTrue(Small(2, 4), {.threads = 1}, 1);
  Config g = Small(4, 4);
  g.format = Format::kBf16;
  ExpectAllTrue(g, {.threads = 1}, 3);
}

TEST(ExchangeThreads, SeveralForARank) {
  ExpectAllTrue(Small(3, 2), {.threads = 3}, 2);
  Config g = Small(1, 8);
  g.dispatch = g.combine = kSmallest;
  ExpectAllTrue(g, {.threads = 2}, 4);
}

}  // namespace
}  // namespace pipescope::kernels::exchange
