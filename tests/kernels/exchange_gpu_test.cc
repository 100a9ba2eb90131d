// The exchange on one GPU that plays all ranks, and on all GPUs of the machine. Skipped, with the
// reason, where there is none.
#include "kernels/device.h"
#include "kernels/exchange/gpu_exchange.h"
#include "tests/kernels/exchange_testing.h"

namespace pipescope::kernels::exchange {
namespace {

void ExpectAllTrueOnGpus(const Config& g, int gpus) {
  auto exchange = MakeGpuExchange(g, gpus);
  ASSERT_TRUE(exchange) << exchange.error().ToString();
  for (uint64_t seed = 1; seed < 3; ++seed) {
    for (Routing routing : kRoutings) ExpectTrue(g, **exchange, routing, seed == 1, seed);
  }
}

TEST(GpuExchange, PlaysAllRanks) {
  if (const auto device = QueryDevice(); !device.usable) GTEST_SKIP() << device.note;
  for (int nodes : {1, 2, 4}) {
    Config g = Small(nodes, 4);
    g.sms = 8;
    ExpectAllTrueOnGpus(g, 1);
    g.format = Format::kBf16;
    g.hidden = 7168;
    g.dispatch = kSmallest;
    ExpectAllTrueOnGpus(g, 1);
  }
}

TEST(GpuExchange, SpreadOverGpus) {
  if (const auto device = QueryDevice(); !device.usable) GTEST_SKIP() << device.note;
  // A second GPU is the one thing that may be missing.
  const auto exchange = MakeGpuExchange(Small(2, 4), 2);
  if (!exchange && exchange.error().message.starts_with("gpus: 2: expected 1 to 1")) {
    GTEST_SKIP() << exchange.error().message;
  }
  ExpectAllTrueOnGpus(Small(2, 4), 2);
}

TEST(GpuExchange, SaysWhyThereIsNone) {
  if (QueryDevice().usable) GTEST_SKIP() << "there is a GPU";
  const auto exchange = MakeGpuExchange(Small(2, 4), 1);
  ASSERT_FALSE(exchange);
  EXPECT_TRUE(exchange.error().message.find("an exchange on GPUs") != std::string::npos)
      << exchange.error().message;
}

}  // namespace
}  // namespace pipescope::kernels::exchange
