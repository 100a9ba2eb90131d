#include "sim/engine/fluid.h"

#include <algorithm>
#include <cmath>

#include "sim/base/result.h"

namespace pipescope {

FluidSet::FluidSet(const TaskGraph& graph, std::span<const TaskTemplate> templates)
    : graph_(graph),
      templates_(templates),
      resources_(static_cast<size_t>(graph.ranks) * kResources) {
  for (size_t r = 0; r < resources_.size(); ++r) {
    resources_[r].capacity = graph.capacity[r % kResources];
  }
}

void FluidSet::Add(int32_t task, int64_t now, std::vector<int32_t>& changed) {
  int32_t s = static_cast<int32_t>(slots_.size());
  if (free_slots_.empty()) {
    slots_.emplace_back();
    in_component_.push_back(false);
  } else {
    s = free_slots_.back();
    free_slots_.pop_back();
  }
  const Task& t = graph_.tasks[static_cast<size_t>(task)];
  const TaskTemplate& templ = templates_[static_cast<size_t>(t.templ)];
  Running& run = slot(s);
  run.task = task;
  run.speed = 1;
  run.remaining = static_cast<double>(templ.demand.time.picoseconds());
  run.updated = now;
  run.finish = now + templ.demand.time.picoseconds();
  ++run.version;
  seeds_.clear();
  for (int k = 0; k < kResources; ++k) {
    const double rate = templ.rates[static_cast<size_t>(k)];
    run.resource[static_cast<size_t>(k)] = -1;
    if (rate <= 0) continue;
    const int32_t r = OwnerOf(t, static_cast<Resource>(k)) * kResources + k;
    run.resource[static_cast<size_t>(k)] = r;
    run.rate[static_cast<size_t>(k)] = rate;
    resource(r).users.push_back(s);
    resource(r).load += rate;
    if (Short(resource(r))) seeds_.push_back(r);
  }
  changed.push_back(s);
  if (!seeds_.empty()) Resolve(now, changed);
}

void FluidSet::Remove(int32_t s, int64_t now, std::vector<int32_t>& changed) {
  Running& run = slot(s);
  seeds_.clear();
  for (int k = 0; k < kResources; ++k) {
    const int32_t r = run.resource[static_cast<size_t>(k)];
    if (r < 0) continue;
    ResourceState& state = resource(r);
    if (Short(state)) seeds_.push_back(r);  // those it slowed down may speed up
    const auto at = std::find(state.users.begin(), state.users.end(), s);
    state.users.erase(at);
    // Exact zero when nobody is left, so that rounding cannot pile up.
    state.load = state.users.empty() ? 0 : state.load - run.rate[static_cast<size_t>(k)];
  }
  run.task = -1;
  ++run.version;
  free_slots_.push_back(s);
  if (!seeds_.empty()) Resolve(now, changed);
}

void FluidSet::CollectComponent() {
  component_.clear();
  bottlenecks_.clear();
  for (size_t i = 0; i < seeds_.size(); ++i) {
    const int32_t r = seeds_[i];
    if (resource(r).seen) continue;
    resource(r).seen = true;
    bottlenecks_.push_back(r);
    for (const int32_t s : resource(r).users) {
      if (in_component_[static_cast<size_t>(s)]) continue;
      in_component_[static_cast<size_t>(s)] = true;
      component_.push_back(s);
      for (const int32_t other : slot(s).resource) {
        if (other >= 0 && !resource(other).seen && Short(resource(other))) seeds_.push_back(other);
      }
    }
  }
  for (const int32_t r : bottlenecks_) resource(r).seen = false;
}

// Progressive filling: raise all speeds together, stop those at a full resource, go on.
void FluidSet::Resolve(int64_t now, std::vector<int32_t>& changed) {
  CollectComponent();
  for (const int32_t r : bottlenecks_) {
    resource(r).free = resource(r).capacity;
    resource(r).rising = resource(r).load;
  }
  std::sort(component_.begin(), component_.end());
  size_t left = component_.size();
  while (left > 0) {
    double level = 1;
    int32_t tightest = -1;
    for (const int32_t r : bottlenecks_) {
      const ResourceState& state = resource(r);
      if (state.rising <= 1e-9 * state.capacity) continue;
      const double reach = std::max(0.0, state.free) / state.rising;
      if (reach < level) {
        level = reach;
        tightest = r;
      }
    }
    for (const int32_t s : component_) {
      if (!in_component_[static_cast<size_t>(s)]) continue;
      const Running& run = slot(s);
      const bool stops = tightest < 0 || std::find(run.resource.begin(), run.resource.end(),
                                                   tightest) != run.resource.end();
      if (!stops) continue;
      in_component_[static_cast<size_t>(s)] = false;
      --left;
      for (size_t k = 0; k < kResources; ++k) {
        if (run.resource[k] < 0) continue;
        resource(run.resource[k]).free -= level * run.rate[k];
        resource(run.resource[k]).rising -= run.rate[k];
      }
      SetSpeed(s, level, now, changed);
    }
    if (tightest >= 0) resource(tightest).rising = 0;
  }
}

void FluidSet::SetSpeed(int32_t s, double speed, int64_t now, std::vector<int32_t>& changed) {
  Running& run = slot(s);
  if (run.speed == speed) return;
  PIPESCOPE_CHECK(speed > 0);
  run.remaining = std::max(0.0, run.remaining - run.speed * static_cast<double>(now - run.updated));
  run.updated = now;
  run.speed = speed;
  run.finish = now + static_cast<int64_t>(std::ceil(run.remaining / speed));
  ++run.version;
  changed.push_back(s);
}

}  // namespace pipescope
