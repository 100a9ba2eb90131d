#include "sim/flow/pattern.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "sim/base/result.h"

namespace pipescope::flow {
namespace {

// Beyond this a link is over-subscribed; below, it is rounding of caps and sums.
constexpr double kFull = 1 + 1e-9;

uint64_t Mix(uint64_t x) {  // the finalizer of splitmix64 (Steele, Lea, Flood 2014)
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}
uint64_t Mix(uint64_t x, uint64_t y) { return Mix(x ^ Mix(y)); }
uint64_t Bits(double x) { return std::bit_cast<uint64_t>(x); }

}  // namespace

// The colours of one batch's flows and of the links they cross.
class Colours {
 public:
  Colours(const Network& network, const FlowBatch& batch) : batch_(batch) {
    place_.assign(network.links.size(), -1);
    for (const int32_t l : batch.links) {
      int32_t& place = place_[static_cast<size_t>(l)];
      if (place >= 0) continue;
      place = static_cast<int32_t>(link_.size());
      const auto at = static_cast<size_t>(l);
      const auto kind = static_cast<uint64_t>(network.kinds.empty() ? 0 : network.kinds[at]);
      link_.push_back(Mix(Bits(network.links[at].value()), kind));
    }
    flow_.resize(batch.bytes.size());
    for (size_t f = 0; f < flow_.size(); ++f) {
      const int64_t i = static_cast<int64_t>(f);
      flow_[f] = Mix(Mix(static_cast<uint64_t>(batch.bytes[f].value()), Bits(batch.Cap(i).value())),
                     static_cast<uint64_t>(batch.Latency(i).picoseconds()));
    }
  }

  // Refines until the links' partition, which determines the flows', is stable.
  void Refine() {
    size_t distinct = Distinct(link_);
    for (int round = 0; round < kRounds; ++round) {
      ColourFlows();
      ColourLinks();
      const size_t now = Distinct(link_);
      if (now == distinct || now == link_.size()) break;
      distinct = now;
    }
    ColourFlows();
  }

  // By what is written on flows and on the links they cross, no matter who else crosses these.
  void Compare() { ColourFlows(); }

  const std::vector<uint64_t>& flows() const { return flow_; }
  uint64_t link(int32_t l) const {
    return link_[static_cast<size_t>(place_[static_cast<size_t>(l)])];
  }

 private:
  // Enough for any fabric (a colour travels one hop a round); what is not stable by then is found
  // by the engine's check.
  static constexpr int kRounds = 16;

  static size_t Distinct(std::vector<uint64_t> colours) {
    std::sort(colours.begin(), colours.end());
    return static_cast<size_t>(std::unique(colours.begin(), colours.end()) - colours.begin());
  }
  uint64_t WeightBits(size_t k) const {
    return batch_.weights.empty() ? 0 : Bits(batch_.weights[k]);
  }
  void ColourFlows() {
    for (size_t f = 0; f < flow_.size(); ++f) {
      uint64_t sum = 0;
      for (size_t k = Begin(f); k < Begin(f + 1); ++k) {
        sum += Mix(link(batch_.links[k]), WeightBits(k));
      }
      flow_[f] = Mix(flow_[f], sum);
    }
  }
  void ColourLinks() {
    std::vector<uint64_t> sum(link_.size());
    for (size_t f = 0; f < flow_.size(); ++f) {
      for (size_t k = Begin(f); k < Begin(f + 1); ++k) {
        sum[static_cast<size_t>(place_[static_cast<size_t>(batch_.links[k])])] +=
            Mix(flow_[f], WeightBits(k));
      }
    }
    for (size_t l = 0; l < link_.size(); ++l) link_[l] = Mix(link_[l], sum[l]);
  }
  size_t Begin(size_t f) const { return static_cast<size_t>(batch_.first[f]); }

  const FlowBatch& batch_;
  std::vector<int32_t> place_;  // of a link in link_
  std::vector<uint64_t> link_;
  std::vector<uint64_t> flow_;
};

namespace {

// Fills the class's links and orbits; false where some member does not cross every orbit as the
// first one does, which only a collision of hashes can cause.
bool FillLinks(const FlowBatch& batch, const Colours& colours, std::vector<double>& sums,
               FlowClass& c) {
  const auto routed = [&](int32_t f) {
    std::vector<uint64_t> colour;
    for (const int32_t l : batch.Route(f)) colour.push_back(colours.link(l));
    std::sort(colour.begin(), colour.end());
    return colour;
  };
  const std::vector<uint64_t> first = routed(c.members.front());
  for (const int32_t f : c.members) {
    if (routed(f) != first) return false;
    const auto weights = batch.Weights(f);
    const auto route = batch.Route(f);
    for (size_t k = 0; k < route.size(); ++k) {
      double& sum = sums[static_cast<size_t>(route[k])];
      if (sum == 0) c.links.push_back(route[k]);
      sum += weights.empty() ? 1 : weights[k];
    }
  }
  std::sort(c.links.begin(), c.links.end(), [&](int32_t a, int32_t b) {
    return std::pair(colours.link(a), a) < std::pair(colours.link(b), b);
  });
  for (size_t k = 0; k < c.links.size(); ++k) {
    if (k > 0 && colours.link(c.links[k]) != colours.link(c.links[k - 1])) {
      c.orbit_end.push_back(static_cast<int32_t>(k));
    }
    c.weights.push_back(std::exchange(sums[static_cast<size_t>(c.links[k])], 0.0));
  }
  c.orbit_end.push_back(static_cast<int32_t>(c.links.size()));
  return true;
}

// Those of the flows none of whose links the batch could fill.
std::vector<int32_t> NeverHeldBack(const Network& network, const FlowBatch& batch,
                                   const std::vector<int32_t>& flows) {
  std::vector<double> demand(network.links.size());
  const auto capacity = [&](int32_t l) { return network.links[static_cast<size_t>(l)].value(); };
  for (int64_t f = 0; f < batch.size(); ++f) {
    const auto route = batch.Route(f);
    const auto weights = batch.Weights(f);
    const auto weight = [&](size_t k) { return weights.empty() ? 1 : weights[k]; };
    double most = batch.Cap(f) > Bandwidth(0) ? batch.Cap(f).value()
                                              : std::numeric_limits<double>::infinity();
    for (size_t k = 0; k < route.size(); ++k) {
      most = std::min(most, capacity(route[k]) / weight(k));
    }
    for (size_t k = 0; k < route.size(); ++k) {
      demand[static_cast<size_t>(route[k])] += weight(k) * most;
    }
  }
  std::vector<int32_t> free;
  for (const int32_t f : flows) {
    const auto route = batch.Route(f);
    if (std::all_of(route.begin(), route.end(), [&](int32_t l) {
          return demand[static_cast<size_t>(l)] <= capacity(l) * kFull;
        })) {
      free.push_back(f);
    }
  }
  return free;
}

}  // namespace

std::shared_ptr<const Pattern> Pattern::Make(const Network& network, FlowBatch batch, Fold fold) {
  CheckBatch(network, batch);
  auto pattern = std::make_shared<Pattern>();
  pattern->batch_ = std::move(batch);
  pattern->class_of_.assign(pattern->batch_.bytes.size(), -1);
  std::vector<int32_t> all(pattern->batch_.bytes.size());
  std::iota(all.begin(), all.end(), 0);
  if (fold == Fold::kNo || all.size() < 2) {
    pattern->single_ = std::move(all);
    return pattern;
  }
  Colours colours(network, pattern->batch_);
  if (fold == Fold::kYes) {
    Colours refined = colours;
    refined.Refine();
    pattern->FoldInto(network, refined, all, false);
  } else {
    pattern->single_ = std::move(all);
  }
  const auto free = NeverHeldBack(network, pattern->batch_, pattern->single_);
  if (free.size() > 1) {
    colours.Compare();
    pattern->FoldInto(network, colours, free, true);
  }
  return pattern;
}

// Makes classes of those of the flows that have the same colour; the others are single.
void Pattern::FoldInto(const Network& network, const Colours& colours,
                       const std::vector<int32_t>& flows, bool loose) {
  std::unordered_map<uint64_t, int32_t> class_of_colour;
  std::vector<FlowClass> all;
  for (const int32_t f : flows) {
    const auto [at, fresh] = class_of_colour.try_emplace(colours.flows()[static_cast<size_t>(f)],
                                                         static_cast<int32_t>(all.size()));
    if (fresh) all.emplace_back().loose = loose;
    all[static_cast<size_t>(at->second)].members.push_back(f);
  }
  std::vector<double> sums(network.links.size());
  for (FlowClass& c : all) {
    // A class that crosses nothing, or is one flow, gains nothing from being one variable.
    const bool folds = c.members.size() > 1 && !batch_.Route(c.members.front()).empty();
    if (!folds || !FillLinks(batch_, colours, sums, c)) {
      for (const int32_t l : c.links) sums[static_cast<size_t>(l)] = 0;
      continue;
    }
    for (const int32_t f : c.members) {
      class_of_[static_cast<size_t>(f)] = static_cast<int32_t>(classes_.size());
    }
    classes_.push_back(std::move(c));
  }
  single_.clear();
  for (size_t f = 0; f < class_of_.size(); ++f) {
    if (class_of_[f] < 0) single_.push_back(static_cast<int32_t>(f));
  }
}

}  // namespace pipescope::flow
