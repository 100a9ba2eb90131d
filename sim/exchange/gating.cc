#include "sim/exchange/gating.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "sim/exchange/random.h"

namespace pipescope::exchange {
namespace {

constexpr int kMostExperts = 4096;

// 1 / load of each expert, loads scaled to a mean of 1; empty where all are equal.
std::vector<double> Exponents(const Gating& g) {
  if (g.balanced()) return {};
  std::vector<double> loads = g.loads;
  if (loads.empty()) {
    loads.resize(static_cast<size_t>(g.experts));
    for (size_t i = 0; i < loads.size(); ++i) {
      loads[i] = std::pow(static_cast<double>(i + 1), -g.skew);
    }
    Random random(g.seed ^ 0x5ca1ab1eu);
    for (size_t i = loads.size(); i > 1; --i) std::swap(loads[i - 1], loads[random.Bits() % i]);
  }
  const double mean =
      std::accumulate(loads.begin(), loads.end(), 0.0) / static_cast<double>(g.experts);
  for (double& load : loads) load = mean / load;
  return loads;
}

// Draws tokens one after the other; keeps its working memory between them.
class Gate {
 public:
  Gate(const Gating& gating, int source)
      : g_(gating),
        exponents_(Exponents(gating)),
        random_(gating.seed * 0x9e3779b97f4a7c15u + static_cast<uint64_t>(source) + 1),
        scores_(static_cast<size_t>(gating.experts)),
        groups_(static_cast<size_t>(gating.groups)),
        group_scores_(groups_.size()) {}

  // The experts of the next token, best first.
  const std::vector<int>& Next() {
    for (size_t e = 0; e < scores_.size(); ++e) {
      const double u = random_.Uniform();
      scores_[e] = exponents_.empty() ? u : std::log(u) * exponents_[e];
    }
    std::iota(groups_.begin(), groups_.end(), 0);
    if (g_.groups_per_token < g_.groups) PickGroups();
    const int size = g_.experts / g_.groups;
    chosen_.clear();
    for (int i = 0; i < g_.groups_per_token; ++i) {
      for (int e = 0; e < size; ++e) chosen_.push_back(groups_[static_cast<size_t>(i)] * size + e);
    }
    KeepBest(chosen_, scores_, g_.top_k);
    chosen_.resize(static_cast<size_t>(g_.top_k));
    return chosen_;
  }

 private:
  // Where loads differ, logarithms of scores are kept: they order experts alike, and are cheaper.
  double Score(double kept) const { return exponents_.empty() ? kept : std::exp(kept); }

  // The `count` items of the highest score to the front; equal ones by number.
  static void KeepBest(std::vector<int>& items, const std::vector<double>& scores, int count) {
    const auto better = [&](int a, int b) {
      const double x = scores[static_cast<size_t>(a)];
      const double y = scores[static_cast<size_t>(b)];
      return x != y ? x > y : a < b;
    };
    std::nth_element(items.begin(), items.begin() + (count - 1), items.end(), better);
  }

  void PickGroups() {
    const size_t size = scores_.size() / groups_.size();
    for (size_t i = 0; i < groups_.size(); ++i) {
      double best = -std::numeric_limits<double>::infinity(), second = best;
      for (size_t e = i * size; e < (i + 1) * size; ++e) {
        second = std::max(second, std::min(best, scores_[e]));
        best = std::max(best, scores_[e]);
      }
      group_scores_[i] = g_.score == GroupScore::kBestTwo   ? Score(best) + Score(second)
                         : g_.score == GroupScore::kBestOne ? best
                                                            : random_.Uniform();
    }
    KeepBest(groups_, group_scores_, g_.groups_per_token);
  }

  const Gating& g_;
  std::vector<double> exponents_;
  Random random_;
  std::vector<double> scores_;
  std::vector<int> groups_;
  std::vector<double> group_scores_;
  std::vector<int> chosen_;
};

}  // namespace

Status CheckGating(const Gating& g, int gpus) {
  if (g.experts < 1 || g.experts > kMostExperts) {
    return Fail(fmt::format("{} experts: expected 1 to {}", g.experts, kMostExperts));
  }
  if (gpus < 1 || g.experts % gpus != 0) {
    return Fail(fmt::format("{} experts do not divide evenly over {} GPUs", g.experts, gpus));
  }
  if (g.groups < 1 || g.experts % g.groups != 0) {
    return Fail(fmt::format("{} experts do not divide into {} groups", g.experts, g.groups));
  }
  if (g.groups_per_token < 1 || g.groups_per_token > g.groups) {
    return Fail(fmt::format("{} groups a token: expected 1 to {}", g.groups_per_token, g.groups));
  }
  const int reachable = g.experts / g.groups * g.groups_per_token;
  if (g.top_k < 1 || g.top_k > reachable) {
    return Fail(fmt::format("{} experts a token: expected 1 to {}, the experts of {} groups",
                            g.top_k, reachable, g.groups_per_token));
  }
  if (!(g.skew >= 0 && g.skew <= 4)) {
    return Fail(fmt::format("a skew of {}: expected 0 (balanced) to 4", g.skew));
  }
  if (!g.loads.empty() && g.loads.size() != static_cast<size_t>(g.experts)) {
    return Fail(fmt::format("{} loads for {} experts", g.loads.size(), g.experts));
  }
  for (const double load : g.loads) {
    if (!(load > 0 && std::isfinite(load))) {
      return Fail(fmt::format("a load of {}: expected a number above 0", load));
    }
  }
  return {};
}

Routing DrawRouting(const Gating& gating, int gpus, int source, int64_t tokens) {
  PIPESCOPE_CHECK(CheckGating(gating, gpus).has_value());
  Gate gate(gating, source);
  const int per_gpu = gating.experts / gpus;
  Routing routing;
  routing.expert_tokens.assign(static_cast<size_t>(gating.experts), 0);
  std::vector<int32_t> to;
  for (int64_t t = 0; t < tokens; ++t) {
    to.clear();
    for (const int expert : gate.Next()) {
      ++routing.expert_tokens[static_cast<size_t>(expert)];
      to.push_back(expert / per_gpu);
    }
    std::sort(to.begin(), to.end());
    to.erase(std::unique(to.begin(), to.end()), to.end());
    routing.gpus.insert(routing.gpus.end(), to.begin(), to.end());
    routing.first.push_back(static_cast<int32_t>(routing.gpus.size()));
  }
  return routing;
}

std::vector<int32_t> DrawExperts(const Gating& gating, int source, int64_t tokens) {
  Gate gate(gating, source);
  std::vector<int32_t> experts;
  for (int64_t t = 0; t < tokens; ++t) {
    const std::vector<int>& chosen = gate.Next();
    experts.insert(experts.end(), chosen.begin(), chosen.end());
  }
  return experts;
}

}  // namespace pipescope::exchange
