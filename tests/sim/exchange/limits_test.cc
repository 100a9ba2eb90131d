// The event model where the answer is known: nothing is lost, limits have closed forms, more of
// anything never costs.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/sim/exchange/cases.h"

namespace pipescope::exchange {
namespace {

constexpr Direction kBoth[] = {Direction::kDispatch, Direction::kCombine};

// Warps and links that cost nothing, to be made dear one by one.
Machine Free() {
  Machine m = MachineOf(H800(), 2, Generation::kV1);
  m.network = m.nvlink = m.memory = GigabytesPerSecond(1e7);
  m.network_latency = m.nvlink_latency = m.kernel_gap = Duration();
  m.kernels.row = m.kernels.post = Duration();
  m.kernels.warp = m.kernels.reduce = GigabytesPerSecond(1e7);
  return m;
}

ExchangeResult RunOn(const Machine& machine, const ExchangeCase& c, int sms = 24) {
  return RunExchange(machine, c, {sms}).front();
}

double Rows(double per_token, const ExchangeCase& c, const ExchangeResult& r) {
  return per_token * static_cast<double>(c.tokens) * static_cast<double>(r.row.value());
}

// A network alone: each GPU's rows for other nodes through its NIC.
TEST(Limits, OnlyTheNetwork) {
  for (const Direction direction : kBoth) {
    const ExchangeCase c = Benchmark(direction, 64);
    Machine m = Free();
    m.network = GigabytesPerSecond(40);
    const ExchangeResult r = RunOn(m, c);
    const double remote = r.rdma_wire.value() / r.rdma.value();
    EXPECT_NEAR(remote, 7.0 / 8, 0.01);
    EXPECT_NEAR(r.time.seconds() * 40e9 / Rows(r.token_nodes * remote, c, r), 1, 0.02);
    EXPECT_EQ(r.bound, "network");
  }
}

TEST(Limits, OnlyNvlink) {
  for (const Direction direction : kBoth) {
    for (const int gpus : {8, 16}) {
      const ExchangeCase c = Benchmark(direction, gpus);
      Machine m = Free();
      m.nvlink = GigabytesPerSecond(100);
      const ExchangeResult r = RunOn(m, c);
      const double remote = r.nvl_wire.value() / r.nvl.value();
      EXPECT_NEAR(remote, 7.0 / 8, 0.01);
      EXPECT_NEAR(r.time.seconds() * 100e9 / Rows(r.token_gpus * remote, c, r), 1, 0.03) << gpus;
      EXPECT_EQ(r.bound, "NVLink");
    }
  }
}

// One channel and links that cost nothing. Within a node 3 warps serve each of 8 peers: the busiest
// group copies all of its rows, and the other end copies them once more, a message behind. A sum of
// the expected rows is short of the busiest group's by sampling alone.
TEST(Limits, OnlyWarps) {
  const ExchangeCase c = Benchmark(Direction::kDispatch, 8);
  Machine m = Free();
  m.kernels.row = Duration(1'000'000);
  const ExchangeResult r = RunOn(m, c, 2);
  const double group = r.token_gpus / 8 * 4096 / 3 * 1e-6;
  EXPECT_GT(r.time.seconds(), group);
  EXPECT_LT(r.time.seconds(), group * 1.06);
  EXPECT_EQ(r.bound, "send warps");
  // Between nodes one warp serves each of 8 GPUs.
  const ExchangeCase far = Benchmark(Direction::kDispatch, 16);
  const ExchangeResult two = RunOn(m, far, 2);
  const double warp = two.token_gpus / 8 * 4096 * 1e-6;
  EXPECT_GT(two.time.seconds(), warp);
  EXPECT_LT(two.time.seconds(), warp * 1.06);
}

// One message after the other: each channel posts all of its messages to other nodes.
TEST(Limits, OnlyPosts) {
  ExchangeCase c = Benchmark(Direction::kDispatch, 64);
  c.buffers = Buffers{32, 288, 8, 128};
  Machine m = Free();
  m.kernels.post = Duration(10'000'000);
  const ExchangeResult r = RunOn(m, c, 2);
  const double messages = r.token_nodes * 7 / 8 * 4096 / 8;
  EXPECT_NEAR(r.time.seconds() / (messages * 10e-6), 1, 0.02);
  EXPECT_EQ(r.bound, "posting to NIC");
}

// A ring of n tokens and a latency L let pass at most n tokens each 2 L (there and back).
TEST(Limits, OnlyCredits) {
  ExchangeCase c = Benchmark(Direction::kDispatch, 16);
  c.buffers = Buffers{8, 288, 8, 16};
  Machine m = Free();
  m.network_latency = Duration(100'000'000);
  const ExchangeResult r = RunOn(m, c, 2);
  const double trips = r.token_nodes / 2 * 4096 / 16;
  EXPECT_NEAR(r.time.seconds() / (trips * 200e-6), 1, 0.05);
  EXPECT_EQ(r.outcome.rdma_peak, 16);
}

// Every row arrives, once, whatever the shape and however small the rings.
TEST(Limits, NothingIsLostInAnyShape) {
  for (uint64_t seed = 0; seed < 120; ++seed) {
    ExchangeCase c;
    c.direction = kBoth[seed % 2];
    c.gpus = 8 << (seed % 4);
    c.tokens = 1 + static_cast<int64_t>(seed * 37 % 400);
    c.gating.seed = seed;
    c.gating.top_k = 1 + static_cast<int>(seed % 9);
    if (seed % 3 == 0) c.gating.skew = 0.7;
    const int send = 1 + static_cast<int>(seed % 7);
    c.buffers = Buffers{send, 2 * send, send, 2 * send};
    const std::vector<int> sms = {2 + 2 * static_cast<int>(seed % 12)};
    ASSERT_TRUE(CheckCase(H800(), c, sms).has_value()) << seed;
    int64_t rows = 0, tokens = 0;
    for (int gpu = 0; gpu < (c.gating.skew > 0 ? c.gpus : 1); ++gpu) {
      const Routing routing = DrawRouting(c.gating, c.gpus, gpu, c.tokens);
      rows += static_cast<int64_t>(routing.gpus.size());
      tokens += routing.tokens();
    }
    const ExchangeResult r = RunExchange(H800(), c, sms).front();
    EXPECT_EQ(r.outcome.rows, rows) << seed;
    EXPECT_EQ(r.outcome.tokens, tokens) << seed;
    EXPECT_LE(r.outcome.rdma_peak, 2 * send);
    EXPECT_GT(r.time, Duration());
  }
}

// One GPU for all against all GPUs, of the same draw: equal loads given expert by expert count as
// skewed. All GPUs wait for the slowest of them, so a little longer.
TEST(Limits, OneGpuStandsForAll) {
  for (const Direction direction : kBoth) {
    for (const int gpus : {8, 16}) {
      ExchangeCase c = Benchmark(direction, gpus);
      const Duration one = RunAt(H800(), c, 24).time;
      c.gating.loads.assign(256, 1.0);
      EXPECT_NEAR(RunAt(H800(), c, 24).time / one, 1.01, 0.04) << gpus;
    }
  }
}

TEST(Limits, SkewCosts) {
  ExchangeCase c = Benchmark(Direction::kDispatch, 32);
  c.tokens = 1024;
  Duration last;
  for (const double skew : {0.1, 0.5, 1.0}) {
    c.gating.skew = skew;
    const ExchangeResult r = RunAt(H800(), c, 24);
    EXPECT_GT(r.time, last);
    EXPECT_GT(r.load, 1);
    last = r.time;
  }
}

TEST(Limits, MoreOfAnythingNeverCosts) {
  for (const Direction direction : kBoth) {
    for (const int gpus : {8, 16, 64}) {
      const ExchangeCase c = Benchmark(direction, gpus);
      Duration last = Duration::Max();
      for (const ExchangeResult& r : RunExchange(H800(), c, {2, 4, 8, 16, 24, 48, 96})) {
        // Other channels cut other messages: 2 % of noise.
        EXPECT_LT(r.time.seconds(), last.seconds() * 1.02) << gpus << " GPUs, " << r.sms;
        last = r.time;
      }
      Machine m = MachineOf(H800(), gpus / 8, Generation::kV1);
      last = RunOn(m, c).time;
      for (Bandwidth Machine::*rate : {&Machine::network, &Machine::nvlink, &Machine::memory}) {
        Machine faster = m;
        faster.*rate = Bandwidth((m.*rate).value() * 1.5);
        EXPECT_LE(RunOn(faster, c).time.seconds(), last.seconds() * 1.001);
      }
    }
  }
}

TEST(Limits, EqualInputsEqualResults) {
  const ExchangeCase c = Benchmark(Direction::kCombine, 64);
  EXPECT_EQ(RunAt(H800(), c, 24).time, RunAt(H800(), c, 24).time);
}

TEST(Limits, HbmHoldsBackWhereItIsSlow) {
  topology::Cluster slow = H800();
  slow.gpu.memory_bandwidth = GigabytesPerSecond(100);
  const ExchangeResult r = RunAt(slow, Benchmark(Direction::kDispatch, 8), 24);
  EXPECT_EQ(r.bound, "HBM");
  EXPECT_NEAR(r.memory_share, 1, 1e-6);
}

// One NIC at a quarter: what must pass it takes four times as long, and everybody waits for that;
// no longer than if all were as slow. Without rows to spare elsewhere it is the network's limit.
TEST(Limits, ASlowNicHoldsUpItsExchange) {
  for (const Direction direction : kBoth) {
    ExchangeCase c = Benchmark(direction, 32);
    c.tokens = 1024;
    topology::Cluster cluster = H800();
    const Duration folded = RunExchange(cluster, c, {24}).front().time;
    cluster.faults.slow_nics = {{{3, 0}, cluster.node.nic}};  // not slow: only tells GPUs apart
    const Duration before = RunExchange(cluster, c, {24}).front().time;
    EXPECT_NEAR(before / folded, 1, 0.08);  // the GPU with most rows counts, each draws its own
    const Bandwidth quarter(cluster.node.nic.value() / 4);
    cluster.faults.slow_nics = {{{1, 2}, quarter}};
    const ExchangeResult one = RunExchange(cluster, c, {24}).front();
    EXPECT_EQ(one.bound, "network");
    EXPECT_GT(one.time / before, 2.5);
    cluster.faults.slow_nics.clear();
    for (int node = 0; node < 4; ++node) {
      for (int nic = 0; nic < 8; ++nic) cluster.faults.slow_nics.push_back({{node, nic}, quarter});
    }
    const Duration all = RunExchange(cluster, c, {24}).front().time;
    EXPECT_LE(one.time / all, 1.02);
    // PCIe before NICs that are whole is the same, and NICs that are no slower do not add to it.
    cluster.node.pcie = quarter;
    EXPECT_EQ(RunExchange(cluster, c, {24}).front().time, all);
    cluster.faults.slow_nics.resize(1);
    EXPECT_EQ(RunExchange(cluster, c, {24}).front().time, all);
  }
}

// Its messages go over NVLink and out of the next GPU's NIC, which then carries twice as much: as
// if both NICs had half their rate, and the latency and room of NVLink besides.
TEST(Limits, ADeadNicsMessagesLeaveByTheNext) {
  for (const Direction direction : kBoth) {
    ExchangeCase c = Benchmark(direction, 32);
    c.tokens = 512;
    topology::Cluster cluster = H800();
    const Bandwidth half(cluster.node.nic.value() / 2);
    cluster.faults.slow_nics = {{{1, 2}, half}, {{1, 3}, half}};
    const double two_slow = RunExchange(cluster, c, {24}).front().time.seconds();
    cluster.faults.slow_nics.clear();
    cluster.faults.dead_nics = {{1, 2}};
    const ExchangeResult dead = RunExchange(cluster, c, {24}).front();
    EXPECT_EQ(dead.bound, "network");
    EXPECT_NEAR(dead.time.seconds() / two_slow, 1, 0.15);
    cluster.faults.dead_nics = {{4, 0}};  // of a node that takes no part
    EXPECT_EQ(RunExchange(cluster, c, {24}).front().time,
              RunExchange(H800(), c, {24}).front().time);
  }
}

TEST(Limits, AllNicsOfANodeButOneMayBeDead) {
  ExchangeCase c = Benchmark(Direction::kDispatch, 16);
  c.tokens = 256;
  topology::Cluster cluster = H800();
  for (int nic = 0; nic < 7; ++nic) cluster.faults.dead_nics.push_back({0, nic});
  const ExchangeResult one = RunExchange(cluster, c, {24}).front();
  EXPECT_EQ(one.bound, "network");
  const double whole = RunExchange(H800(), c, {24}).front().outcome.network;
  EXPECT_GT(one.time / RunExchange(H800(), c, {24}).front().time, 7 * whole);
}

// One GPU's warps at a third, where warps are the limit: its peers wait for its rows; no longer
// than if all were as slow.
TEST(Limits, ASlowGpuHoldsUpItsExchange) {
  for (const Direction direction : kBoth) {
    for (const int gpus : {8, 32}) {
      ExchangeCase c = Benchmark(direction, gpus);
      c.tokens = 512;
      c.slow_gpus = {{5, 1.0}};  // not slow: only tells GPUs apart
      const Duration before = RunExchange(H800(), c, {8}).front().time;
      c.slow_gpus = {{5, 3.0}};
      const Duration one = RunExchange(H800(), c, {8}).front().time;
      EXPECT_GT(one / before, 1.5) << gpus;
      for (int gpu = 0; gpu < gpus; ++gpu) c.slow_gpus.emplace_back(gpu, 3.0);
      EXPECT_LE(one / RunExchange(H800(), c, {8}).front().time, 1.02) << gpus;
    }
  }
}

TEST(Limits, RefusesWhatDoesNotFit) {
  const auto refused = [](auto change, std::vector<int> sms = {24}) {
    ExchangeCase c = Benchmark(Direction::kDispatch, 64);
    change(c);
    return !CheckCase(H800(), c, sms).has_value();
  };
  EXPECT_FALSE(refused([](ExchangeCase&) {}));
  EXPECT_TRUE(refused([](ExchangeCase& c) { c.gpus = 4096; }));
  EXPECT_TRUE(refused([](ExchangeCase& c) { c.gpus = 12; }));
  EXPECT_TRUE(refused([](ExchangeCase& c) { c.gpus = 256; }));  // 32 nodes
  EXPECT_TRUE(refused([](ExchangeCase& c) { c.tokens = 0; }));
  EXPECT_TRUE(refused([](ExchangeCase& c) { c.hidden = 100; }));
  EXPECT_TRUE(refused([](ExchangeCase& c) { c.buffers = Buffers{6, 8, 6, 128}; }));
  EXPECT_TRUE(refused([](ExchangeCase& c) { c.buffers = Buffers{1, 8, 10, 128}; }));
  EXPECT_TRUE(refused([](ExchangeCase&) {}, {3}));
  EXPECT_TRUE(refused([](ExchangeCase&) {}, {134}));
}

}  // namespace
}  // namespace pipescope::exchange
