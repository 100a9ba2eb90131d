#include "reports/comm_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/quantity.h"
#include "sim/exchange/low_latency.h"

namespace pipescope::reports {
namespace {

using exchange::ExchangeCase;
using exchange::ExchangeResult;

std::string Where(const topology::Cluster& cluster, const std::string& what, int gpus) {
  const int per_node = std::min(gpus, cluster.node.gpus);
  return fmt::format("{} over {} GPUs: {} x {} {} of {}\n", what, gpus, gpus / per_node, per_node,
                     cluster.gpu.name, cluster.name);
}

std::string Definitions(const std::vector<Definition>& definitions) {
  std::string text;
  for (const Definition& d : definitions) text += fmt::format("  {:<16}  {}\n", d.name, d.counts);
  return text;
}

std::string Head(const topology::Cluster& cluster, const ExchangeCase& c, const ExchangeResult& r) {
  const bool dispatch = c.direction == exchange::Direction::kDispatch;
  const int nodes = std::max(1, c.gpus / cluster.node.gpus);
  std::string text = Where(cluster, dispatch ? "dispatch" : "combine", c.gpus);
  text += fmt::format("{} tokens a GPU, hidden {}, {}: rows of {} bytes\n", c.tokens, c.hidden,
                      dispatch && c.fp8 ? "FP8" : "BF16", r.row.value());
  text += fmt::format("{} experts, {} a token from {} of {} groups", c.gating.experts,
                      c.gating.top_k, c.gating.groups_per_token, c.gating.groups);
  if (r.token_gpus > 0) {
    text += fmt::format("; a token is on {:.2f} of {} {} and {:.2f} GPUs", r.token_nodes, nodes,
                        nodes == 1 ? "node" : "nodes", r.token_gpus);
  }
  text += "\n";
  if (!c.gating.balanced()) {
    text += fmt::format(
        "skewed: the fullest GPU receives {:.2f} times the mean; all GPUs are "
        "simulated, bandwidths are means\n",
        r.load);
  }
  for (const auto& [gpu, times] : c.slow_gpus) {
    text +=
        fmt::format("what if: GPU {} takes {:g} times as long for what its warps do\n", gpu, times);
  }
  for (const topology::NicAt& dead : cluster.faults.dead_nics) {
    if (nodes == 1 || dead.node >= nodes) continue;
    text += fmt::format("NIC {}.{} is dead: its GPUs' messages go over NVLink to the next NIC\n",
                        dead.node, dead.nic);
  }
  if (exchange::IsLowLatency(c.generation)) {
    return text + fmt::format("low latency: a message an expert, {}; {} SMs\n\n",
                              c.generation == exchange::Generation::kLowLatency
                                  ? "over NVLink within a node, else by NIC"
                                  : "all by NIC",
                              r.sms);
  }
  return text + fmt::format(
                    "buffers in tokens: NVLink messages {}, rings {}; network messages "
                    "{}, rings {}\n\n",
                    r.buffers.nvl_send, r.buffers.nvl_recv, r.buffers.rdma_send,
                    r.buffers.rdma_recv);
}

std::string Table(const std::vector<ExchangeResult>& results) {
  std::string text =
      "            algorithm GB/s  on the wire   busy %                                       "
      "fullest ring\n"
      "SMs      time   RDMA    NVL   NIC NVLink  NIC NVLink HBM send post forward receive  "
      "network NVLink  bound by\n";
  const auto gb = [](Bandwidth b) { return b.value() / 1e9; };
  for (const ExchangeResult& r : results) {
    const auto& o = r.outcome;
    text += fmt::format(
        "{:>3} {:>9} {:>6.1f} {:>6.1f} {:>5.1f} {:>6.1f} {:>4.0f} {:>6.0f} {:>3.0f} {:>4.0f} "
        "{:>4.0f} {:>7.0f} {:>7.0f} {:>8} {:>6}  {}\n",
        r.sms, Format(r.time), gb(r.rdma), gb(r.nvl), gb(r.rdma_wire), gb(r.nvl_wire),
        o.network * 100, o.nvlink * 100, r.memory_share * 100, o.send * 100, o.post * 100,
        o.forward * 100, o.receive * 100, o.rdma_peak, o.nvl_peak, r.bound);
  }
  return text;
}

}  // namespace

std::vector<Definition> ExchangeDefinitions() {
  return {
      {"algorithm RDMA", "(token, node) pairs, own node too, x row / time (DeepEP's \"RDMA\")"},
      {"algorithm NVL", "rows that a GPU receives, its own too, x row / time (DeepEP's \"NVL\")"},
      {"wire NIC", "rows that leave a node x row / time, a GPU"},
      {"wire NVLink", "rows that change GPU within a node x row / time, a GPU"},
      {"time", "of the kernel; within one node bandwidths count its notify and launches in"},
      {"busy", "links: the busiest; warps: mean, of all channels"},
  };
}

std::vector<Definition> CollectiveDefinitions() {
  return {
      {"algorithm", "size / time, the size of a GPU's whole buffer (nccl-tests' algbw)"},
      {"bus", "algorithm x 2 (n - 1) / n for all-reduce, x 1 for p2p, else x (n - 1) / n (busbw)"},
      {"wire NIC", "bytes through the busiest NIC in one direction / time"},
      {"wire NVLink", "bytes through the busiest NVLink port in one direction / time"},
  };
}

int SaturatingSms(const std::vector<ExchangeResult>& results) {
  Duration best = Duration::Max();
  for (const ExchangeResult& r : results) best = std::min(best, r.time);
  int sms = 0;
  for (const ExchangeResult& r : results) {
    if (r.time.seconds() * 0.98 <= best.seconds() && (sms == 0 || r.sms < sms)) sms = r.sms;
  }
  return sms;
}

namespace {

std::string MachineText(const topology::Cluster& cluster, const ExchangeCase& c) {
  std::string text = "\nAssumptions\n";
  const int nodes = std::max(1, c.gpus / cluster.node.gpus);
  const auto machine = exchange::MachineOf(cluster, nodes, c.generation);
  for (const auto& constant : exchange::Describe(machine, c.generation)) {
    text += fmt::format("  {:<28}  {:<22}  {}\n", constant.name, constant.value, constant.source);
  }
  return text;
}

std::string LowLatencyText(const topology::Cluster& cluster, const ExchangeCase& c,
                           const ExchangeResult& r) {
  const auto gb = [](Bandwidth b) { return b.value() / 1e9; };
  std::string text = Head(cluster, c, r);
  text += fmt::format("time        {}, of the slowest GPU\n", Format(r.time));
  text += fmt::format("algorithm   {:.1f} GB/s: a GPU's selections of experts x row / time\n",
                      gb(r.rdma) + gb(r.nvl));
  text += fmt::format("on the wire {:.1f} GB/s by NIC, {:.1f} over NVLink, mean over GPUs\n",
                      gb(r.rdma_wire), gb(r.nvl_wire));
  text += fmt::format("bound by    {}: the fullest port works {:.0f} % of the time\n", r.bound,
                      std::max(r.outcome.network, r.outcome.nvlink) * 100);
  return text + MachineText(cluster, c);
}

}  // namespace

std::string ExchangeText(const topology::Cluster& cluster, const ExchangeCase& c,
                         const std::vector<ExchangeResult>& results) {
  const ExchangeResult& first = results.front();
  if (exchange::IsLowLatency(c.generation)) return LowLatencyText(cluster, c, first);
  std::string text = Head(cluster, c, first) + Table(results) + "\n";
  if (results.size() > 1) {
    text += fmt::format("{} SMs reach 98 % of the best of these.\n", SaturatingSms(results));
  }
  text += fmt::format("Before it a notify: {}", Format(first.notify));
  if (first.wait > Duration()) {
    text += fmt::format(", and {} of waiting for the slowest GPU", Format(first.wait));
  }
  text += fmt::format(" (starts that vary by {}).\n", Format(c.jitter));
  text += "\nWhat is counted\n" + Definitions(ExchangeDefinitions());
  return text + MachineText(cluster, c);
}

std::string CollectiveText(const topology::Cluster& cluster, const collective::Collective& c,
                           const collective::CollectiveTime& t, double network) {
  std::string text = Where(cluster, c.pattern, c.gpus);
  text += fmt::format("{} a GPU, {}: {} transfers in {} steps move {}\n\n", Format(c.size),
                      c.algorithm, t.transfers, t.steps, Format(t.moved));
  text += fmt::format("time       {}, of which {} latency\n", Format(t.time), Format(t.latency));
  text += fmt::format("algorithm  {}\n", Format(t.algorithm));
  text += fmt::format("bus        {}\n", Format(t.bus));
  text += fmt::format("wire       {} NIC, {} NVLink\n", Format(t.wire), Format(t.nvlink));
  text += fmt::format("bound by   {}\n", t.bound);
  text += "\nWhat is counted\n" + Definitions(CollectiveDefinitions());
  return text + fmt::format(
                    "\nAssumptions\n  steps follow each other; routes and rates are the "
                    "topology's, {:.0f} % of them outside of NVLink\n",
                    network * 100);
}

}  // namespace pipescope::reports
