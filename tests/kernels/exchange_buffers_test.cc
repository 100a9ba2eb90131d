// The simulator's ring buffers and the real exchange's are one table of DeepEP's in two places,
// since neither may use the other: both must give the same for any number of GPUs.
#include <gtest/gtest.h>

#include "kernels/exchange/config.h"
#include "sim/exchange/buffers.h"

namespace pipescope {
namespace {

using SimBuffers = exchange::Buffers;
using RealBuffers = kernels::exchange::Buffers;

void ExpectEqual(const SimBuffers& sim, const RealBuffers& real, int gpus) {
  EXPECT_EQ(sim.nvl_send, real.nvl_send) << gpus;
  EXPECT_EQ(sim.nvl_recv, real.nvl_recv) << gpus;
  EXPECT_EQ(sim.rdma_send, real.rdma_send) << gpus;
  EXPECT_EQ(sim.rdma_recv, real.rdma_recv) << gpus;
}

TEST(ExchangeBuffers, AreTheSimulators) {
  for (int nodes = 1; nodes <= kernels::exchange::kMostNodes; ++nodes) {
    for (int locals = 1; locals <= kernels::exchange::kMostLocals; ++locals) {
      kernels::exchange::Config config;
      config.nodes = nodes;
      config.locals = locals;
      const auto real = kernels::exchange::WithTunedBuffers(config);
      const int gpus = nodes * locals;
      ExpectEqual(exchange::TunedBuffers(exchange::Direction::kDispatch, gpus), real.dispatch,
                  gpus);
      ExpectEqual(exchange::TunedBuffers(exchange::Direction::kCombine, gpus), real.combine, gpus);
    }
  }
}

}  // namespace
}  // namespace pipescope
