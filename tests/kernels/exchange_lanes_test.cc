// The protocol with warps of three lanes, as a GPU runs it with 32.
#include "kernels/exchange/host_exchange.h"
#include "tests/kernels/exchange_testing.h"
#include "tests/kernels/lane_fabric.h"

namespace pipescope::kernels::exchange {
namespace {

TEST(ExchangeLanes, EveryRouting) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    Config g = Small(1 + static_cast<int>(seed % 3), 1 + static_cast<int>(seed % 4));
    g.tokens = 11;
    g.format = seed % 2 == 0 ? Format::kFp8 : Format::kBf16;
    if (seed > 3) g.dispatch = kSmallest;
    auto exchange = HostExchange<LaneWarps>::Make(g, {.drawn = seed});
    ASSERT_TRUE(exchange) << exchange.error().ToString();
    for (Routing routing : kRoutings) {
      ExpectTrue(g, **exchange, routing, seed % 2 == 1, seed);
    }
  }
}

}  // namespace
}  // namespace pipescope::kernels::exchange
