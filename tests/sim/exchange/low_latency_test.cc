// The low-latency kernels: by hand where one message decides, and what must hold of any draw.
#include "sim/exchange/low_latency.h"

#include <gtest/gtest.h>

namespace pipescope::exchange {
namespace {

Machine Small() {
  Machine m;
  m.network = GigabytesPerSecond(40);
  m.nvlink = GigabytesPerSecond(160);
  m.memory = GigabytesPerSecond(2000);
  m.network_latency = Microseconds(5);
  m.nvlink_latency = Microseconds(3);
  m.gpus_per_node = 2;
  m.kernels.row = Duration(300'000);
  m.kernels.warp = GigabytesPerSecond(2);
  m.kernels.reduce = GigabytesPerSecond(1);
  return m;
}

ExchangeCase Case(int gpus, Direction direction, Generation generation = Generation::kLowLatency) {
  ExchangeCase c;
  c.direction = direction;
  c.gpus = gpus;
  c.tokens = 128;
  c.gating.groups = c.gating.groups_per_token = 1;
  c.generation = generation;
  return c;
}

// One token, an expert on each of two GPUs, both chosen: one row leaves. It is written by a warp,
// passes a port, its flag follows, and a warp copies it.
TEST(LowLatency, OneRowByHand) {
  for (const Generation by : {Generation::kLowLatency, Generation::kLowLatencyNic}) {
    for (const Direction direction : {Direction::kDispatch, Direction::kCombine}) {
      ExchangeCase c = Case(2, direction, by);
      c.tokens = 1;
      c.gating.experts = c.gating.top_k = 2;
      const bool dispatch = direction == Direction::kDispatch;
      const Bytes row(dispatch ? 7168 + 224 + 16 : 2 * 7168);
      const bool nic = by == Generation::kLowLatencyNic;
      const Duration copy = Duration(300'000) + row / GigabytesPerSecond(2);
      const Duration wire = row / GigabytesPerSecond(nic ? 40 : 160);
      const ExchangeResult r = RunLowLatency(Small(), c, 132);
      EXPECT_EQ(r.row, row);
      EXPECT_EQ(r.time, copy + wire + Microseconds(nic ? 5 : 3) * 2 + copy);
    }
  }
}

// What leaves by NIC and NVLink is what the draw says, and no port is faster than it is.
TEST(LowLatency, RowsAreConservedAndPortsAreNotExceeded) {
  for (const int gpus : {2, 4, 8, 32}) {
    for (const uint64_t seed : {1u, 2u, 3u}) {
      ExchangeCase c = Case(gpus, Direction::kDispatch);
      c.gating.seed = seed;
      const Machine m = Small();
      const ExchangeResult r = RunLowLatency(m, c, 132);
      int64_t nic = 0, nvlink = 0;
      for (int gpu = 0; gpu < gpus; ++gpu) {
        for (const int32_t expert : DrawExperts(c.gating, gpu, c.tokens)) {
          const int to = expert / (c.gating.experts / gpus);
          nic += to / 2 != gpu / 2;
          nvlink += to / 2 == gpu / 2 && to != gpu;
        }
      }
      const double bytes = static_cast<double>(r.row.value()) / gpus / r.time.seconds();
      EXPECT_NEAR(r.rdma_wire.value(), static_cast<double>(nic) * bytes, 1);
      EXPECT_NEAR(r.nvl_wire.value(), static_cast<double>(nvlink) * bytes, 1);
      EXPECT_LE(r.outcome.network, 1);
      EXPECT_LE(r.outcome.nvlink, 1);
      EXPECT_EQ(r.outcome.rows, int64_t{128} * 8 * gpus);
    }
  }
}

// More bandwidth or fewer tokens never take longer; a slow GPU never less.
TEST(LowLatency, IsMonotone) {
  const ExchangeCase c = Case(8, Direction::kCombine);
  const Duration base = RunLowLatency(Small(), c, 132).time;
  Machine faster = Small();
  faster.network = GigabytesPerSecond(80);
  EXPECT_LT(RunLowLatency(faster, c, 132).time, base);
  ExchangeCase fewer = c;
  fewer.tokens = 64;
  EXPECT_LT(RunLowLatency(Small(), fewer, 132).time, base);
  Machine slow = Small();
  slow.slow.assign(8, 1);
  slow.slow[3] = 3;
  EXPECT_GT(RunLowLatency(slow, c, 132).time, base);
}

}  // namespace
}  // namespace pipescope::exchange
