#include "sim/costs/prices.h"

#include <fmt/format.h>

#include "sim/costs/kernel_cost.h"

namespace pipescope::costs {
namespace {

constexpr double kUncheckedSpread = 0.15;

double SpreadOf(const model::Kernel& kernel) {
  return kernel.kind == model::KernelKind::kMemory ? 0.2 : 0.05;
}

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

std::string Describe(const LayerPart& part, int sms) {
  return fmt::format("{} {} of {} tokens, {} SMs", Name(part.kind), Name(part.pass),
                     part.layer.shape.at("tokens"), sms);
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

void Price::Scale(double times) {
  demand.time = Seconds(demand.time.seconds() * times);
  for (PricePart& part : parts) {
    part.time = Seconds(part.time.seconds() * times);
    part.spread = Seconds(part.spread.seconds() * times);
  }
}

Prices::Prices(const topology::Cluster& cluster, const Efficiencies& efficiencies,
               std::vector<std::shared_ptr<const Source>> sources)
    : cluster_(cluster),
      efficiencies_(efficiencies),
      sources_(std::move(sources)),
      links_(LinksOf(cluster, efficiencies)) {}

std::optional<Estimate> Prices::Measured(const model::Kernel& kernel, int sms) const {
  for (const auto& source : sources_) {
    if (auto estimate = source->Kernel(kernel, sms)) return estimate;
  }
  return std::nullopt;
}

std::optional<PartEstimate> Prices::Measured(const LayerPart& part, int sms) const {
  for (const auto& source : sources_) {
    if (auto estimate = source->Part(part, sms)) return estimate;
  }
  return std::nullopt;
}

Price Prices::Phase(const std::vector<model::Kernel>& kernels, int sms) const {
  Price price;
  for (const model::Kernel& kernel : kernels) {
    std::optional<Estimate> estimate = Measured(kernel, sms);
    if (!estimate) {
      estimate = Estimate{KernelTime(kernel, sms, cluster_.gpu, efficiencies_), SpreadOf(kernel),
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

Price Prices::Part(const LayerPart& part, const std::vector<model::Kernel>& kernels,
                   int sms) const {
  const Price computed = Phase(kernels, sms);
  const auto measured = Measured(part, sms);
  if (!measured) return computed;
  Estimate estimate = measured->estimate;
  Price price;
  price.demand.flops = computed.demand.flops;
  if (measured->sms != sms) {
    const Duration there = Phase(kernels, measured->sms).demand.time;
    estimate.time = Seconds(estimate.time.seconds() * (computed.demand.time / there));
    estimate.spread = std::max(estimate.spread, kUncheckedSpread);
    estimate.origin = Origin::kInterpolated;
  }
  if (measured->sms == cluster_.gpu.sms) price.demand.memory = computed.demand.memory;
  price.demand.time = estimate.time;
  price.parts.push_back(PartOf(Describe(part, sms), estimate));
  return price;
}

std::optional<Price> Prices::Part(const LayerPart& part, int sms, const Demand& computed) const {
  const auto measured = Measured(part, sms);
  if (!measured) return std::nullopt;
  Price price;
  price.demand = computed;
  price.demand.time = measured->estimate.time;
  price.demand.memory = Bytes(0);
  Estimate estimate = measured->estimate;
  if (measured->sms != sms) {  // the links decide, but no measurement says so
    estimate.spread = std::max(estimate.spread, kUncheckedSpread);
    estimate.origin = Origin::kInterpolated;
  }
  price.parts.push_back(PartOf(Describe(part, sms), estimate));
  return price;
}

Price Prices::Memory(const char* name, Bytes bytes) const {
  model::Kernel pass;
  pass.name = name;
  pass.bytes = bytes;
  if (bytes > Bytes(0) && Measured(pass, cluster_.gpu.sms)) {
    return Phase({pass}, cluster_.gpu.sms);
  }
  Price price;
  price.demand.memory = bytes;
  price.demand.time = bytes / links_.memory;
  price.parts.push_back({name, Origin::kAnalytic, price.demand.time,
                         Seconds(price.demand.time.seconds() * kUncheckedSpread)});
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
  for (const auto& source : sources_) {
    if (!estimate) estimate = source->Message(c);
  }
  if (!estimate) estimate = Estimate{price.demand.time, kUncheckedSpread, Origin::kAnalytic};
  price.demand.time = estimate->time;
  const std::string what =
      fmt::format("{} of {} GPUs", kNames[static_cast<size_t>(c.kind)], c.group);
  price.parts.push_back(PartOf(what, *estimate));
  return price;
}

}  // namespace pipescope::costs
