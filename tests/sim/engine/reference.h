// A slow engine to compare with: every time anything starts or ends, all speeds are solved anew
// from the definition in engine.h, in plain doubles.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "sim/lowering/task_graph.h"

namespace pipescope {

// The resources of a task: index and rate.
inline std::vector<std::pair<size_t, double>> UsesOf(const TaskGraph& g, size_t t) {
  std::vector<std::pair<size_t, double>> uses;
  const Task& task = g.tasks[t];
  for (size_t k = 0; k < kResources; ++k) {
    const double rate = g.templates[static_cast<size_t>(task.templ)].rates[k];
    const auto owner = static_cast<size_t>(OwnerOf(task, static_cast<Resource>(k)));
    if (rate > 0) uses.emplace_back(owner * kResources + k, rate);
  }
  return uses;
}

// Water-filling over all of `running`: raise every open task, close those at a full resource.
inline std::vector<double> FairSpeeds(const TaskGraph& g, const std::vector<size_t>& running) {
  std::vector<double> speed(running.size(), 0);
  std::vector<bool> open(running.size(), true);
  double level = 0;
  while (std::find(open.begin(), open.end(), true) != open.end()) {
    const size_t resources = static_cast<size_t>(g.ranks) * kResources;
    std::vector<double> used(resources, 0), rising(resources, 0);
    for (size_t i = 0; i < running.size(); ++i) {
      for (const auto& [r, rate] : UsesOf(g, running[i])) {
        used[r] += speed[i] * rate;
        if (open[i]) rising[r] += rate;
      }
    }
    double rise = 1 - level;
    for (size_t r = 0; r < resources; ++r) {
      if (rising[r] > 0) rise = std::min(rise, (g.capacity[r % kResources] - used[r]) / rising[r]);
    }
    level += std::max(0.0, rise);
    for (size_t i = 0; i < running.size(); ++i) {
      if (open[i]) speed[i] = level;
    }
    for (size_t i = 0; i < running.size(); ++i) {
      bool full = level >= 1;
      for (const auto& [r, rate] : UsesOf(g, running[i])) {
        const double after = used[r] + std::max(0.0, rise) * rising[r];
        full = full || after >= g.capacity[r % kResources] * (1 - 1e-12);
      }
      if (full) open[i] = false;
    }
  }
  return speed;
}

struct ReferenceTimes {
  std::vector<double> start, end;  // picoseconds
};

inline ReferenceTimes RunReference(const TaskGraph& g) {
  const size_t n = g.tasks.size();
  ReferenceTimes times{std::vector<double>(n, -1), std::vector<double>(n, -1)};
  std::vector<double> left(n);
  for (size_t t = 0; t < n; ++t) {
    const auto templ = static_cast<size_t>(g.tasks[t].templ);
    left[t] = static_cast<double>(g.templates[templ].demand.time.picoseconds());
  }
  double now = 0;
  for (;;) {
    std::vector<bool> blocked(n, false);
    for (const auto& [before, after] : g.edges) {
      if (times.end[static_cast<size_t>(before)] < 0) blocked[static_cast<size_t>(after)] = true;
    }
    std::vector<size_t> running;
    for (size_t t = 0; t < n; ++t) {
      if (times.end[t] >= 0 || blocked[t]) continue;
      if (times.start[t] < 0) times.start[t] = now;
      running.push_back(t);
    }
    if (running.empty()) return times;
    const std::vector<double> speed = FairSpeeds(g, running);
    double step = std::numeric_limits<double>::max();
    for (size_t i = 0; i < running.size(); ++i) step = std::min(step, left[running[i]] / speed[i]);
    now += step;
    for (size_t i = 0; i < running.size(); ++i) {
      left[running[i]] -= step * speed[i];
      if (left[running[i]] <= 1e-3) times.end[running[i]] = now;
    }
  }
}

}  // namespace pipescope
