#include "sim/costs/prices.h"

#include <fmt/format.h>

#include "sim/costs/kernel_cost.h"

namespace pipescope::costs {
namespace {

constexpr double kAnalyticSpread = 0.15;

std::string Describe(const model::Kernel& k) {
  if (k.kind == model::KernelKind::kGemm) {
    const std::string groups = k.groups > 1 ? fmt::format(", {} groups", k.groups) : "";
    return fmt::format("{} {} x {} x {}{}", k.name, k.m, k.n, k.k, groups);
  }
  if (k.kind != model::KernelKind::kAttention) return k.name;
  const model::AttentionShape& a = k.attention;
  return fmt::format("{} {} heads of {} and {}, {} of keys, {} tokens", k.name, a.heads, a.qk_dim,
                     a.v_dim, a.key_heads, a.sequence);
}

PricePart PartOf(std::string what, const Estimate& e) {
  return {std::move(what), e.origin, e.time, Seconds(e.time.seconds() * e.spread)};
}

}  // namespace

Price& Price::operator+=(const Price& after) {
  demand.time += after.demand.time;
  demand.memory += after.demand.memory;
  demand.nvlink += after.demand.nvlink;
  demand.network_out += after.demand.network_out;
  demand.network_in += after.demand.network_in;
  demand.flops += after.demand.flops;
  parts.insert(parts.end(), after.parts.begin(), after.parts.end());
  return *this;
}

Prices::Prices(const topology::Cluster& cluster, const Efficiencies& efficiencies,
               std::shared_ptr<const EfficiencyFile> file)
    : cluster_(cluster),
      efficiencies_(efficiencies),
      file_(std::move(file)),
      links_(LinksOf(cluster, efficiencies)) {}

Price Prices::Phase(const std::vector<model::Kernel>& kernels, int sms) const {
  Price price;
  for (const model::Kernel& kernel : kernels) {
    std::optional<Estimate> estimate;
    if (file_ != nullptr) estimate = file_->Kernel(kernel, sms);
    if (!estimate) {
      estimate = Estimate{KernelTime(kernel, sms, cluster_.gpu, efficiencies_), kAnalyticSpread,
                          Origin::kAnalytic};
      estimate->time += efficiencies_.kernel_gap * kernel.launches;
    }
    price.parts.push_back(PartOf(Describe(kernel), *estimate));
    price.demand.time += estimate->time;
    price.demand.memory += kernel.bytes;
    price.demand.flops += kernel.flops;
  }
  return price;
}

Price Prices::Memory(const char* name, Bytes bytes) const {
  model::Kernel pass;
  pass.name = name;
  pass.bytes = bytes;
  if (file_ != nullptr && bytes > Bytes(0)) return Phase({pass}, cluster_.gpu.sms);
  Price price;
  price.demand.memory = bytes;
  price.demand.time = bytes / links_.memory;
  price.parts.push_back({name, Origin::kAnalytic, price.demand.time,
                         Seconds(price.demand.time.seconds() * kAnalyticSpread)});
  return price;
}

Price Prices::Message(const Collective& c) const {
  constexpr const char* kNames[] = {"all-gather", "reduce-scatter", "all-reduce", "all-to-all",
                                    "message"};
  Price price;
  if (c.kind == CollectiveKind::kPointToPoint) {
    price.demand = PointToPoint(c.whole, c.per_node > 1, links_);
  } else {
    const int64_t rounds = c.kind == CollectiveKind::kAllReduce ? 2 : 1;
    price.demand = ShardedCollective(Bytes(rounds * c.whole.value()), c.group, c.per_node, links_);
  }
  std::optional<Estimate> estimate;
  if (file_ != nullptr) estimate = file_->Message(c);
  if (!estimate) estimate = Estimate{price.demand.time, kAnalyticSpread, Origin::kAnalytic};
  price.demand.time = estimate->time;
  const std::string what =
      fmt::format("{} of {} GPUs", kNames[static_cast<size_t>(c.kind)], c.group);
  price.parts.push_back(PartOf(what, *estimate));
  return price;
}

}  // namespace pipescope::costs
