// What the exchange's tests share: small sizes with odd rings, and the check of every routing.
#pragma once

#include <gtest/gtest.h>

#include "kernels/exchange/check.h"
#include "kernels/exchange/cpu_exchange.h"

namespace pipescope::kernels::exchange {

inline constexpr Buffers kSmallest = {1, 2, 1, 2};

inline Config Small(int nodes, int locals) {
  Config g;
  g.nodes = nodes;
  g.locals = locals;
  g.experts = 2 * g.ranks();
  g.selected = std::min(4, g.experts);
  g.hidden = 128;
  g.tokens = 40;
  g.sms = 4;
  g.dispatch = {3, 7, 2, 5};
  g.combine = {2, 5 * nodes, 3, 8};
  return g;
}

inline void ExpectTrue(const Config& g, Exchange& exchange, Routing routing, bool uneven,
                       uint64_t seed) {
  const auto result = CheckExchange(exchange, g, routing, uneven, seed);
  ASSERT_TRUE(result) << result.error().ToString();
  EXPECT_EQ(result->failure, "") << NameOf(routing) << ", " << g.nodes << " x " << g.locals
                                 << ", uneven " << uneven << ", seed " << seed;
}

// All routings one after the other through the same rings.
inline void ExpectAllTrue(const Config& g, const Schedule& schedule, uint64_t seed) {
  auto exchange = CpuExchange::Make(g, schedule);
  ASSERT_TRUE(exchange) << exchange.error().ToString();
  for (Routing routing : kRoutings) {
    ExpectTrue(g, **exchange, routing, seed % 2 == 1, seed);
  }
}

}  // namespace pipescope::kernels::exchange
