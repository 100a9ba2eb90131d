// Random task graphs whose tasks compete for a few resources.
#pragma once

#include <random>

#include "tests/sim/testing.h"

namespace pipescope {

inline TaskGraph RandomGraph(uint32_t seed) {
  std::mt19937 random(seed);
  const auto pick = [&](int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random);
  };
  TaskGraph g;
  g.ranks = pick(1, 4);
  for (double& capacity : g.capacity) capacity = pick(50, 150);
  const int templates = pick(1, 8);
  for (int i = 0; i < templates; ++i) {
    std::array<double, kResources> rates = {};
    for (size_t k = 0; k < kResources; ++k) {
      if (pick(0, 2) == 0) rates[k] = std::min<double>(pick(1, 150), g.capacity[k]);
    }
    AddTemplate(g, Duration(int64_t{pick(0, 20)} * 50'000'000 + pick(0, 999)), rates);
  }
  const int tasks = pick(1, 60);
  for (int t = 0; t < tasks; ++t) {
    std::vector<int32_t> after;
    for (int e = pick(0, 2); e > 0 && t > 0; --e) after.push_back(pick(0, t - 1));
    AddTask(g, pick(0, g.ranks - 1), pick(0, templates - 1), after);
    g.tasks.back().peer = pick(0, g.ranks - 1);
  }
  return g;
}

}  // namespace pipescope
