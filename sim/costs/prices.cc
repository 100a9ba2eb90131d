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

Duration Times(Duration time, double factor) {
  return factor == 1 ? time : Seconds(time.seconds() * factor);
}

// With the gap after it, which measured times contain.
Duration Modelled(const model::Kernel& kernel, int sms, const topology::Cluster& cluster,
                  const Efficiencies& e) {
  return KernelTime(kernel, sms, cluster.gpu, e) + e.kernel_gap * kernel.launches;
}

Demand DemandOf(const Collective& c, const Links& links) {
  if (c.kind == CollectiveKind::kPointToPoint) return PointToPoint(c.whole, c.per_node > 1, links);
  if (c.kind == CollectiveKind::kAllToAll) return Exchange(c.whole, c.group, c.per_node, links);
  const int64_t rounds = c.kind == CollectiveKind::kAllReduce ? 2 : 1;
  return ShardedCollective(Bytes(rounds * c.whole.value()), c.group, c.per_node, links);
}

Subject SubjectOf(const model::Kernel& kernel) {
  return kernel.kind == model::KernelKind::kGemm        ? Subject::kGemm
         : kernel.kind == model::KernelKind::kAttention ? Subject::kAttention
                                                        : Subject::kMemory;
}

Subject SubjectOf(const LayerPart& part) {
  switch (part.kind) {
    case measured::Kind::kDispatch:
    case measured::Kind::kCombine:
      return Subject::kExchange;
    case measured::Kind::kNotifyDispatch:
    case measured::Kind::kNotifyCombine:
      return Subject::kNotify;
    default:
      return Subject::kPhase;
  }
}

PricePart PartOf(std::string what, Subject subject, const Estimate& e) {
  return {std::move(what), subject, e.origin, e.time, Seconds(e.time.seconds() * e.spread)};
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
               std::vector<std::shared_ptr<const Source>> sources,
               std::shared_ptr<const Basis> basis)
    : cluster_(cluster),
      efficiencies_(efficiencies),
      sources_(std::move(sources)),
      basis_(std::move(basis)),
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

double Prices::Changed(const std::vector<model::Kernel>& kernels, int sms) const {
  if (basis_ == nullptr) return 1;
  Duration now, then;
  for (const model::Kernel& kernel : kernels) {
    now += Modelled(kernel, sms, cluster_, efficiencies_);
    then += Modelled(kernel, sms, basis_->cluster, basis_->efficiencies);
  }
  return then > Duration() ? now / then : 1;
}

Price Prices::Phase(const std::vector<model::Kernel>& kernels, int sms) const {
  Price price;
  for (const model::Kernel& kernel : kernels) {
    std::optional<Estimate> estimate = Measured(kernel, sms);
    if (estimate) {
      estimate->time = Times(estimate->time, Changed({kernel}, sms));
    } else {
      estimate = Estimate{Modelled(kernel, sms, cluster_, efficiencies_), SpreadOf(kernel),
                          Origin::kAnalytic};
    }
    price.parts.push_back(PartOf(Describe(kernel), SubjectOf(kernel), *estimate));
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
  estimate.time = Times(estimate.time, Changed(kernels, measured->sms));
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
  price.parts.push_back(PartOf(Describe(part, sms), SubjectOf(part), estimate));
  return price;
}

std::optional<Price> Prices::Part(const LayerPart& part, int sms, const Demand& computed,
                                  Duration then) const {
  const auto measured = Measured(part, sms);
  if (!measured) return std::nullopt;
  Price price;
  price.demand = computed;
  Estimate estimate = measured->estimate;
  if (basis_ != nullptr && then > Duration()) {
    estimate.time = Times(estimate.time, computed.time / then);
  }
  price.demand.time = estimate.time;
  price.demand.memory = Bytes(0);
  if (measured->sms != sms) {  // the links decide, but no measurement says so
    estimate.spread = std::max(estimate.spread, kUncheckedSpread);
    estimate.origin = Origin::kInterpolated;
  }
  price.parts.push_back(PartOf(Describe(part, sms), SubjectOf(part), estimate));
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
  price.parts.push_back({name, Subject::kMemory, Origin::kAnalytic, price.demand.time,
                         Seconds(price.demand.time.seconds() * kUncheckedSpread)});
  return price;
}

Price Prices::Message(const Collective& c) const {
  constexpr const char* kNames[] = {"all-gather", "reduce-scatter", "all-reduce", "all-to-all",
                                    "message"};
  Price price;
  price.demand = DemandOf(c, links_);
  std::optional<Estimate> estimate;
  for (const auto& source : sources_) {
    if (!estimate) estimate = source->Message(c);
  }
  if (!estimate) {
    estimate = Estimate{price.demand.time, kUncheckedSpread, Origin::kAnalytic};
  } else if (basis_ != nullptr) {
    const Demand then = DemandOf(c, LinksOf(basis_->cluster, basis_->efficiencies));
    if (then.time > Duration()) {
      estimate->time = Times(estimate->time, price.demand.time / then.time);
    }
  }
  price.demand.time = estimate->time;
  const std::string what =
      fmt::format("{} of {} GPUs", kNames[static_cast<size_t>(c.kind)], c.group);
  price.parts.push_back(PartOf(what, Subject::kMessage, *estimate));
  return price;
}

}  // namespace pipescope::costs
