#include "topology/least_loaded.h"

#include <algorithm>
#include <map>

namespace pipescope::topology {
namespace {

constexpr int kDetours = 4;

}  // namespace

LeastLoaded::LeastLoaded(const Router& router, Detours detours)
    : router_(router), detours_(detours == Detours::kYes) {
  const LinkTable& links = router.links();
  for (int l = 0; l < links.size(); ++l) capacity_.push_back(links[l].capacity.value());
  load_.resize(capacity_.size());
}

std::vector<LeastLoaded::Way> LeastLoaded::WaysOf(int gpu_a, int gpu_b) const {
  std::vector<Route> routes = router_.Ways(gpu_a, gpu_b);
  if (detours_) {
    for (Route& way : router_.Around(gpu_a, gpu_b, kDetours)) routes.push_back(std::move(way));
  }
  std::map<LinkId, size_t> used;
  for (const Route& route : routes) {
    for (const LinkId l : route.links) ++used[l];
  }
  std::vector<Way> ways;
  for (const Route& route : routes) {
    Way& way = ways.emplace_back();
    way.links = route.links;
    if (detours_) way.weight = route.hops();
    for (const LinkId l : route.links) {
      if (used[l] < routes.size()) way.own.push_back(l);
    }
  }
  return ways;
}

double LeastLoaded::Fullness(const Way& way, int64_t rate) const {
  double most = 0;
  for (const LinkId l : way.own) {
    const size_t at = static_cast<size_t>(l);
    most = std::max(most, static_cast<double>(load_[at] + rate) / capacity_[at]);
  }
  return most * way.weight;
}

const std::vector<LinkId>& LeastLoaded::Choose(int gpu_a, int gpu_b, int64_t rate) {
  std::vector<Way>& ways = ways_[(int64_t{gpu_a} << 32) + gpu_b];
  if (ways.empty()) ways = WaysOf(gpu_a, gpu_b);
  const Way* best = nullptr;
  double least = 0;
  for (const Way& way : ways) {
    const double fullness = Fullness(way, rate);
    if (best != nullptr && fullness >= least) continue;
    best = &way;
    least = fullness;
  }
  return best->links;
}

void LeastLoaded::Load(std::span<const LinkId> links, int64_t rate) {
  for (const LinkId l : links) {
    if (static_cast<size_t>(l) < load_.size()) load_[static_cast<size_t>(l)] += rate;
  }
}

}  // namespace pipescope::topology
