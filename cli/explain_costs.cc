#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "cli/explain.h"
#include "sim/base/quantity.h"
#include "sim/costs/communication_cost.h"
#include "sim/costs/kernel_cost.h"
#include "sim/costs/routing.h"
#include "sim/lowering/alone.h"
#include "sim/lowering/places.h"
#include "sim/model/layout.h"
#include "sim/model/operations.h"

namespace pipescope::cli {
namespace {

using model::KernelKind;
using model::Pass;
using model::Traffic;

const char* NameOf(Pass pass) {
  return pass == Pass::kForward     ? "forward"
         : pass == Pass::kInputGrad ? "backward_input"
                                    : "backward_weight";
}

std::string Time(double seconds) { return Format(Seconds(seconds)); }

// "gemm_main_loop 0.742": a constant, by the name that `costs:` knows it under.
Term Constant(const char* name, double value, const char* meaning) {
  return {name, fmt::format("{:g}", value), meaning};
}

// Each adds the terms and gives the seconds of its part of sim/costs/kernel_cost.h's maximum.
double Gemm(const model::Kernel& k, const Experiment& e, Explanation& x) {
  const topology::Gpu& gpu = e.cluster.gpu;
  const bool fp8 = k.precision == model::Precision::kFp8 && gpu.fp8.value() > 0;
  const double peak = (fp8 ? gpu.fp8 : gpu.bf16).value() / gpu.sms;
  const bool slow = fp8 && k.pass == Pass::kWeightGrad;
  const double loop = slow ? e.efficiencies.weight_grad_main_loop : e.efficiencies.gemm_main_loop;
  const int64_t tiles = k.groups * ((k.m + 127) / 128) * ((k.n + 127) / 128);
  const double waves = std::ceil(static_cast<double>(tiles) / gpu.sms);
  const double tile = 2.0 * 128 * 128 * static_cast<double>(k.k);
  x.formula = "max(waves x (tile / (peak x main_loop) + tile_overhead), bytes / memory, small)";
  x.terms = {
      {"shape", fmt::format("{} x {} x {}", k.m, k.n, k.k),
       k.groups > 1 ? fmt::format("m x n x k, {} groups", k.groups) : "m x n x k"},
      {"waves", fmt::format("{}", waves),
       fmt::format("{} tiles of 128 x 128 over {} SMs", tiles, gpu.sms)},
      {"tile", FormatCount(tile) + "FLOP", "2 x 128 x 128 x k"},
      {"peak", Format(FlopRate(peak)), fp8 ? "of an SM, FP8" : "of an SM, BF16"},
      Constant("main_loop", loop, slow ? "costs.weight_grad_main_loop" : "costs.gemm_main_loop"),
      {"tile_overhead", Format(e.efficiencies.tile_overhead), "costs.tile_overhead"}};
  return waves * (tile / (peak * loop) + e.efficiencies.tile_overhead.seconds());
}

double Attention(const model::Kernel& k, const Experiment& e, Explanation& x) {
  const double share = k.pass == Pass::kForward ? e.efficiencies.attention_forward
                                                : e.efficiencies.attention_backward;
  x.formula = "max(flops / (peak x share), bytes / memory, small)";
  x.terms = {
      {"flops", FormatCount(k.flops.value()) + "FLOP", "causal half only, where fused"},
      {"peak", Format(e.cluster.gpu.bf16), "BF16"},
      Constant("share", share,
               k.pass == Pass::kForward ? "costs.attention_forward" : "costs.attention_backward")};
  return k.flops.value() / (e.cluster.gpu.bf16.value() * share);
}

double Memory(const model::Kernel& k, const Experiment& e, Explanation& x) {
  const costs::Efficiencies& c = e.efficiencies;
  const double share = k.traffic == Traffic::kCast   ? c.cast
                       : k.traffic == Traffic::kNorm ? c.norm
                                                     : c.memory;
  const Bandwidth reached(e.cluster.gpu.memory_bandwidth.value() * share);
  x.terms.push_back({"bytes", Format(k.bytes), "read and written in HBM"});
  x.terms.push_back(
      {"memory", Format(reached),
       fmt::format("{:g} of the nominal {}", share, Format(e.cluster.gpu.memory_bandwidth))});
  return static_cast<double>(k.bytes.value()) / reached.value();
}

// Alone on all SMs, by the analytic model.
Explanation KernelPrice(const model::Kernel& k, const Experiment& e) {
  Explanation x = {fmt::format("kernel.{}.{}", k.name, NameOf(k.pass)),
                   "the analytic time of this kernel alone, on all SMs",
                   "max(bytes / memory, small)",
                   {},
                   0,
                   0,
                   ""};
  if (k.kind == KernelKind::kGemm) x.value = Gemm(k, e, x);
  if (k.kind == KernelKind::kAttention) x.value = Attention(k, e, x);
  x.value = std::max(x.value, Memory(k, e, x));
  const double least = k.launches * e.efficiencies.small_kernel.seconds();
  x.terms.push_back(
      {"small_kernel", Format(e.efficiencies.small_kernel),
       fmt::format("times {} launches, the least they take: costs.small_kernel", k.launches)});
  x.value = std::max(x.value, least);
  x.reported = costs::KernelTime(k, e.cluster.gpu.sms, e.cluster.gpu, e.efficiencies).seconds();
  x.shown = Time(x.value);
  if (!e.sources().empty()) x.meaning += "; what a measured table knows is taken instead";
  return x;
}

Explanation Exchange(const char* name, double row, const Experiment& e,
                     const costs::Spread& spread) {
  const costs::Efficiencies& c = e.efficiencies;
  const costs::Links links = costs::LinksOf(e.cluster, c);
  const int sms = e.communication.sms;
  const double bytes = static_cast<double>(e.shape().shard()) * row;
  const double network = bytes * spread.network_rows(), nvlink = bytes * spread.nvlink_rows();
  const double copied = network + 2 * bytes * spread.token_gpus;
  const double memory = bytes + 4 * network + 3 * bytes * spread.token_gpus;
  const double latency =
      (spread.nodes > 1 ? links.network_latency.seconds() : 0) + links.nvlink_latency.seconds();
  const double slowest =
      std::max({network / links.network.value(), nvlink / links.nvlink.value(),
                copied / (c.sm_copy.value() * sms), memory / links.memory.value()});
  const auto moved = [](double size) { return Format(RoundBytes(size)); };
  return {name,
          "one of a MoE layer, alone, without the notify before it",
          "max(network / nic, nvlink / link, copied / (sms x sm_copy), memory / hbm) + latency",
          {{"rows", fmt::format("{} x {:g} B", e.shape().shard(), row), "tokens x bytes of a row"},
           {"network", moved(network),
            fmt::format("rows x {:.3f} nodes x {} / {}", spread.token_nodes, spread.nodes - 1,
                        spread.nodes)},
           {"nic", Format(links.network), fmt::format("costs.network {:g} of nominal", c.network)},
           {"nvlink", moved(nvlink),
            fmt::format("rows x {:.3f} GPUs x {} / {}", spread.token_gpus, spread.gpus_per_node - 1,
                        spread.gpus_per_node)},
           {"link", Format(links.nvlink), "of the topology, a GPU and direction"},
           {"copied", moved(copied), "into the send buffer, forwarded, received"},
           {"sms", fmt::format("{}", sms), "communication.sms"},
           {"sm_copy", Format(c.sm_copy), "costs.sm_copy"},
           {"memory", moved(memory), "through HBM"},
           {"hbm", Format(links.memory), fmt::format("costs.memory {:g} of nominal", c.memory)},
           {"latency", Time(latency), "of the farthest route, and NVLink's"}},
          slowest + latency,
          costs::AllToAll(spread, e.shape().shard(), row, sms, links, c).time.seconds(),
          Time(slowest + latency)};
}

Explanation Hop(const Experiment& e) {
  const costs::Links links = costs::LinksOf(e.cluster, e.efficiencies);
  const Bytes size = MessageSize(e);
  bool same_node = true;
  for (int r = 0; r + 1 < e.parallel.pipeline; ++r) same_node &= SameNode(e, r, r + 1);
  const Bandwidth rate = same_node ? links.nvlink : links.network;
  const Duration latency = same_node ? links.nvlink_latency : links.network_latency;
  const double value = static_cast<double>(size.value()) / rate.value() + latency.seconds();
  return {"hop",
          "one pipeline message between the two neighbouring ranks that are farthest apart, alone",
          "message / rate + latency",
          {{"message", Format(size), "a GPU's rows of the hidden state, BF16"},
           {"rate", Format(rate), same_node ? "NVLink" : "a GPU's share of the NICs, as reached"},
           {"latency", Format(latency), "of the route"}},
          value,
          costs::PointToPoint(size, same_node, links).time.seconds(),
          Time(value)};
}

}  // namespace

std::vector<Explanation> ExplainCosts(const Experiment& e, const StepResult& r) {
  std::vector<Explanation> list;
  std::set<std::string> seen;
  const auto layout = model::ParseLayout(r.layout, e.model);
  if (!layout) return list;
  for (const model::StageLayout& stage : *layout) {
    for (const model::Block& block : stage.blocks) {
      const model::BlockWork work = model::WorkOf(e.model, e.shape(), block);
      for (const auto* phases : {&work.forward, &work.input_grad, &work.weight_grad}) {
        for (const model::Phase& phase : *phases) {
          for (const model::Kernel& kernel : phase.kernels) {
            Explanation price = KernelPrice(kernel, e);
            if (seen.insert(price.name).second) list.push_back(std::move(price));
          }
        }
      }
    }
  }
  const int node = e.cluster.node.gpus;
  const auto spread = costs::SpreadOf(e.model, e.parallel.expert, node);
  const double hidden = static_cast<double>(e.model.hidden);
  if (spread && e.parallel.expert > 1 && e.communication.deduplicate) {
    const double row = e.training.fp8 ? hidden * (1 + 4.0 / 128) : 2 * hidden;
    list.push_back(Exchange("dispatch", row, e, *spread));
    list.push_back(Exchange("combine", 2 * hidden, e, *spread));
  }
  if (e.parallel.pipeline > 1) list.push_back(Hop(e));
  return list;
}

}  // namespace pipescope::cli
