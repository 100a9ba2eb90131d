#include "sim/exchange/exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/base/order_statistics.h"
#include "sim/exchange/low_latency.h"

namespace pipescope::exchange {
namespace {

constexpr int kMostPeers = 8;   // DeepEP's NVLink peers
constexpr int kMostNodes = 20;  // and its nodes
constexpr int kMostLowLatency = 1024;
constexpr int64_t kMostTokens = 1 << 17;
// Over all GPUs that are simulated: scores drawn, rows delivered. Some seconds, some gigabytes.
constexpr int64_t kMostScores = 1 << 28;
constexpr int64_t kMostRows = 1 << 24;

Shape ShapeOf(const Machine& machine, const ExchangeCase& c) {
  Shape shape;
  shape.gpus_per_node = std::min(c.gpus, machine.gpus_per_node);
  shape.nodes = c.gpus / shape.gpus_per_node;
  shape.folded = c.gating.balanced() && machine.uniform();
  return shape;
}

// HBM bytes of one GPU as reads and writes of rows by warps, NIC and NVLink.
double MemoryRows(Direction direction, const Traffic& t) {
  const auto tokens = static_cast<double>(t.tokens);
  const auto copies = static_cast<double>(t.network_copies);
  const auto network = static_cast<double>(t.network_rows);
  const auto delivered = static_cast<double>(t.delivered);
  if (direction == Direction::kDispatch) return tokens + copies + 2 * network + 4 * delivered;
  return 3 * delivered + 2 * copies + 2 * network + tokens;
}

double LoadOf(const std::vector<Routing>& routing, int gpus) {
  std::vector<int64_t> received(static_cast<size_t>(gpus));
  int64_t all = 0;
  for (const Routing& from : routing) {
    for (const int32_t to : from.gpus) ++received[static_cast<size_t>(to)];
    all += static_cast<int64_t>(from.gpus.size());
  }
  const int64_t most = *std::max_element(received.begin(), received.end());
  return all == 0 ? 1 : static_cast<double>(most) * gpus / static_cast<double>(all);
}

std::string BoundOf(const ExchangeResult& r) {
  const std::pair<double, const char*> shares[] = {
      {r.outcome.network, "network"},
      {r.outcome.nvlink, "NVLink"},
      {r.memory_share, "HBM"},
      {r.outcome.forward, "forward warps"},
      {r.outcome.send, "send warps"},
      {r.outcome.receive, "receive warps"},
      {r.outcome.post, "posting to NIC"},
  };
  const auto* most = std::max_element(std::begin(shares), std::end(shares),
                                      [](auto a, auto b) { return a.first < b.first; });
  return most->second;
}

void SetBandwidths(ExchangeResult& r, const Traffic& t, const Machine& machine) {
  const int gpus = t.shape.simulated();
  Duration time = r.time;
  // Within a node the published figures are of the whole call: a cached notify and two launches.
  if (t.shape.nodes == 1) time += machine.nvlink_latency * 2 + machine.kernel_gap * 2;
  const auto rate = [&](int64_t rows) {
    return Bandwidth(static_cast<double>(rows) * static_cast<double>(r.row.value()) / gpus /
                     time.seconds());
  };
  r.rdma = rate(t.shape.nodes > 1 ? t.network_copies : 0);
  r.nvl = rate(t.delivered);
  r.rdma_wire = rate(t.network_rows);
  r.nvl_wire = rate(t.nvlink_rows);
}

ExchangeResult RunOne(const ExchangeCase& c, const Machine& machine, const Shape& shape,
                      const std::vector<Routing>& routing) {
  ExchangeResult r;
  r.buffers = c.buffers ? *c.buffers : TunedBuffers(c.direction, c.gpus);
  const bool dispatch = c.direction == Direction::kDispatch;
  const Traffic traffic =
      MakeTraffic(shape, routing, shape.nodes > 1 ? r.buffers.rdma_send : r.buffers.nvl_send);
  r.sms = shape.channels * 2;
  r.channels = shape.channels;
  r.row = RowBytes(c.hidden, dispatch && c.fp8);
  r.outcome = dispatch ? RunDispatch(traffic, machine, r.buffers, r.row)
                       : RunCombine(traffic, machine, r.buffers, r.row);
  if (shape.nodes == 1 && dispatch) std::swap(r.outcome.send, r.outcome.forward);
  const double memory =
      MemoryRows(c.direction, traffic) * static_cast<double>(r.row.value()) / shape.simulated();
  r.memory = RoundBytes(memory);
  r.time = std::max(r.outcome.time, r.memory / machine.memory);
  r.memory_share = (r.memory / machine.memory) / r.time;
  const auto tokens = static_cast<double>(traffic.tokens);
  r.token_nodes = static_cast<double>(traffic.network_copies) / tokens;
  r.token_gpus = static_cast<double>(traffic.delivered) / tokens;
  SetBandwidths(r, traffic, machine);
  r.bound = BoundOf(r);
  return r;
}

}  // namespace

Bytes RowBytes(int hidden, bool fp8) { return Bytes(fp8 ? hidden + hidden / 128 * 4 : hidden * 2); }

namespace {

// A slow NIC makes its GPU's rows slow, a dead one those of two. What happens between switches is
// not in this model.
Status CheckFaults(const topology::Faults& faults, int nodes) {
  if (nodes == 1 || (faults.dead_switches.empty() && faults.cables.empty())) return {};
  return Fail(
      "dispatch and combine know no dead or slow cables and switches; expected simulate --fidelity "
      "flow, or a pattern of collectives, for which routes go around it");
}

Machine MachineFor(const topology::Cluster& cluster, const ExchangeCase& c) {
  Machine machine = MachineOf(cluster, std::max(1, c.gpus / cluster.node.gpus), c.generation);
  if (!c.slow_gpus.empty()) machine.slow.assign(static_cast<size_t>(c.gpus), 1);
  for (const auto& [gpu, times] : c.slow_gpus) machine.slow[static_cast<size_t>(gpu)] = times;
  return machine;
}

// Whether the cluster has as many, and the kernels serve them.
Status CheckGpus(const topology::Cluster& cluster, const ExchangeCase& c) {
  if (c.gpus < 2 || c.gpus > cluster.gpus()) {
    return Fail(
        fmt::format("{} GPUs: expected 2 to {}, all of {}", c.gpus, cluster.gpus(), cluster.name));
  }
  const int per_node = std::min(c.gpus, cluster.node.gpus);
  if (c.gpus % per_node != 0) {
    return Fail(fmt::format("{} GPUs do not fill whole nodes of {}", c.gpus, per_node));
  }
  const bool low_latency = IsLowLatency(c.generation);
  if (low_latency && c.gpus > kMostLowLatency) {
    return Fail(fmt::format("{} GPUs: the low-latency kernels are simulated for at most {}", c.gpus,
                            kMostLowLatency));
  }
  if (!low_latency && (per_node > kMostPeers || c.gpus / per_node > kMostNodes)) {
    return Fail(fmt::format("{} nodes of {} GPUs: DeepEP's kernels serve at most {} nodes of {}",
                            c.gpus / per_node, per_node, kMostNodes, kMostPeers));
  }
  return {};
}

// Whether what is simulated of it, a GPU for all or each, stays within bounds.
Status CheckSize(const ExchangeCase& c, bool folded) {
  const int64_t simulated = folded ? 1 : c.gpus;
  if (c.tokens < 1 || c.tokens > kMostTokens ||
      c.tokens * simulated * c.gating.experts > kMostScores ||
      c.tokens * simulated * std::min(c.gating.top_k, c.gpus) > kMostRows) {
    return Fail(
        fmt::format("{} tokens: expected 1 to {}, and less where many experts, experts a "
                    "token or GPUs with skew are simulated",
                    c.tokens, kMostTokens));
  }
  if (c.hidden < 128 || c.hidden > 1 << 16 || c.hidden % 128 != 0) {
    return Fail(
        fmt::format("a hidden size of {}: expected a multiple of 128 up to 65536", c.hidden));
  }
  return {};
}

}  // namespace

Status CheckCase(const topology::Cluster& cluster, const ExchangeCase& c,
                 const std::vector<int>& sms) {
  if (auto gpus = CheckGpus(cluster, c); !gpus) return gpus;
  if (auto gating = CheckGating(c.gating, c.gpus); !gating) return gating;
  const int nodes = std::max(1, c.gpus / cluster.node.gpus);
  if (auto faults = CheckFaults(cluster.faults, nodes); !faults) return faults;
  for (const auto& [gpu, times] : c.slow_gpus) {
    if (gpu < c.gpus) continue;
    return Fail(fmt::format("GPU {} is slow but not among the {} that take part", gpu, c.gpus));
  }
  const bool low_latency = IsLowLatency(c.generation);
  const Machine machine = MachineFor(cluster, c);
  if (low_latency && !machine.lenders.empty()) {
    return Fail("the low-latency kernels send by a GPU's own NIC: expected no dead ones");
  }
  const bool folded = c.gating.balanced() && machine.uniform() && !low_latency;
  if (auto size = CheckSize(c, folded); !size) return size;
  for (const int n : sms) {
    if (n < 2 || n % 2 != 0 || n > cluster.gpu.sms) {
      return Fail(fmt::format("{} SMs: expected an even number of 2 to {}, two a channel", n,
                              cluster.gpu.sms));
    }
  }
  return c.buffers ? CheckBuffers(*c.buffers) : Status{};
}

std::vector<ExchangeResult> RunExchange(const topology::Cluster& cluster, const ExchangeCase& c,
                                        const std::vector<int>& sms) {
  PIPESCOPE_CHECK(CheckCase(cluster, c, sms).has_value());
  if (!IsLowLatency(c.generation)) return RunExchange(MachineFor(cluster, c), c, sms);
  std::vector<ExchangeResult> one = {RunLowLatency(MachineFor(cluster, c), c, cluster.gpu.sms)};
  one.front().wait = Seconds(c.jitter.seconds() * ExpectedMaximum(c.gpus));
  return one;
}

std::vector<ExchangeResult> RunExchange(const Machine& machine, const ExchangeCase& c,
                                        const std::vector<int>& sms) {
  Shape shape = ShapeOf(machine, c);
  std::vector<Routing> routing;
  for (int gpu = 0; gpu < shape.simulated(); ++gpu) {
    routing.push_back(DrawRouting(c.gating, c.gpus, gpu, c.tokens));
  }
  const double load = shape.folded ? 1 : LoadOf(routing, c.gpus);
  const Duration meeting =
      machine.nvlink_latency + (shape.nodes > 1 ? machine.network_latency : Duration());
  std::vector<ExchangeResult> results;
  for (const int n : sms) {
    shape.channels = n / 2;
    results.push_back(RunOne(c, machine, shape, routing));
    results.back().load = load;
    results.back().notify = meeting * (c.direction == Direction::kDispatch ? 3 : 2);
    results.back().wait = Seconds(c.jitter.seconds() * ExpectedMaximum(c.gpus));
  }
  return results;
}

}  // namespace pipescope::exchange
