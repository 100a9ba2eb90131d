#include "tests/sim/flow/testing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/flow/native_engine.h"

namespace pipescope::flow {
namespace {

constexpr double kUnending = std::numeric_limits<double>::infinity();

struct Moving {
  const FlowBatch* batch = nullptr;
  int64_t flow = 0;
  double from = 0;  // seconds
  double left = 0;
  double rate = 0;
  bool rising = false;
};

double WeightOf(const Moving& m, size_t k) {
  return m.batch->weights.empty() ? 1 : m.batch->Weights(m.flow)[k];
}

// Water filling in its plainest form: raise all, stop those on the first full link, repeat.
void SetRates(const std::vector<double>& capacity, std::vector<Moving*>& moving) {
  std::vector<double> room = capacity;
  for (Moving* m : moving) m->rising = true;
  size_t rising = moving.size();
  while (rising > 0) {
    std::vector<double> weight(room.size());
    for (const Moving* m : moving) {
      const auto route = m->batch->Route(m->flow);
      for (size_t k = 0; m->rising && k < route.size(); ++k) {
        weight[static_cast<size_t>(route[k])] += WeightOf(*m, k);
      }
    }
    double level = kUnending;
    for (size_t l = 0; l < room.size(); ++l) {
      if (weight[l] > 0) level = std::min(level, std::max(0.0, room[l]) / weight[l]);
    }
    for (const Moving* m : moving) {
      const double cap = m->batch->Cap(m->flow).value();
      if (m->rising && cap > 0) level = std::min(level, cap);
    }
    std::vector<Moving*> stopped;
    for (Moving* m : moving) {
      if (!m->rising) continue;
      const double cap = m->batch->Cap(m->flow).value();
      bool stops = level == kUnending || (cap > 0 && cap <= level * (1 + 1e-12));
      for (const int32_t l : m->batch->Route(m->flow)) {
        const size_t at = static_cast<size_t>(l);
        stops |= std::max(0.0, room[at]) / weight[at] <= level * (1 + 1e-12);
      }
      if (stops) stopped.push_back(m);
    }
    for (Moving* m : stopped) {
      m->rising = false;
      m->rate = level;
      --rising;
      const auto route = m->batch->Route(m->flow);
      for (size_t k = 0; k < route.size(); ++k) {
        room[static_cast<size_t>(route[k])] -= WeightOf(*m, k) * level;
      }
    }
  }
}

std::vector<Moving> AllFlows(const Plan& plan) {
  std::vector<Moving> all;
  for (const TimedBatch& b : plan.batches) {
    const FlowBatch& batch = b.pattern->batch();
    for (int64_t f = 0; f < batch.size(); ++f) {
      all.push_back({&batch, f, (b.start + batch.Latency(f)).seconds(),
                     static_cast<double>(batch.bytes[static_cast<size_t>(f)].value())});
    }
  }
  return all;
}

double Uniform(std::mt19937_64& random) {  // the standard's distributions differ by library
  return static_cast<double>(random() >> 11) * 0x1p-53;
}
int Below(std::mt19937_64& random, int n) {
  return static_cast<int>(random() % static_cast<uint64_t>(n));
}

void AddRandomFlow(const Recipe& recipe, std::mt19937_64& random, FlowBatch& batch) {
  std::vector<int32_t> route;
  const int length = 1 + Below(random, std::min(recipe.longest_route, recipe.links));
  while (static_cast<int>(route.size()) < length) {
    const int32_t l = Below(random, recipe.links);
    if (std::find(route.begin(), route.end(), l) == route.end()) route.push_back(l);
  }
  const int64_t size = recipe.equal ? 1'000'000 * (1 + Below(random, 3))
                                    : 1'000 + static_cast<int64_t>(Uniform(random) * 1e7);
  batch.Add(route, Bytes(Below(random, 40) == 0 ? 0 : size));
  for (size_t k = 0; recipe.weights && k < route.size(); ++k) {
    batch.weights.push_back(Below(random, 2) == 0 ? 1 : 0.1 + 3 * Uniform(random));
  }
  if (recipe.caps) {
    batch.caps.push_back(Bandwidth(Below(random, 2) == 0 ? 0 : 1e8 + 1e10 * Uniform(random)));
  }
  if (recipe.latencies) batch.latencies.push_back(Duration(Below(random, 3) * 1'500'000));
}

}  // namespace

std::vector<double> Reference(const Plan& plan) {
  std::vector<double> capacity;
  for (const Bandwidth c : plan.network.links) capacity.push_back(c.value());
  std::vector<CapacityChange> changes = plan.changes;
  std::stable_sort(changes.begin(), changes.end(),
                   [](const auto& a, const auto& b) { return a.time < b.time; });
  std::vector<Moving> all = AllFlows(plan);
  std::vector<double> ends(all.size(), kUnending);
  double now = 0;
  size_t change = 0;
  for (;;) {
    for (; change < changes.size() && changes[change].time.seconds() <= now; ++change) {
      capacity[static_cast<size_t>(changes[change].link)] = changes[change].capacity.value();
    }
    std::vector<Moving*> moving;
    double next = change < changes.size() ? changes[change].time.seconds() : kUnending;
    for (size_t f = 0; f < all.size(); ++f) {
      if (ends[f] < kUnending) continue;
      if (all[f].from > now) {
        next = std::min(next, all[f].from);
      } else if (all[f].left <= 1e-6) {  // a millionth of a byte is rounding
        ends[f] = now;
      } else {
        moving.push_back(&all[f]);
      }
    }
    SetRates(capacity, moving);
    for (const Moving* m : moving) {
      if (m->rate > 0) next = std::min(next, now + m->left / m->rate);
    }
    if (next == kUnending) return ends;
    for (Moving* m : moving) m->left -= m->rate * (next - now);
    now = next;
  }
}

Recipe RandomRecipe(uint64_t seed) {
  std::mt19937_64 random(seed);
  Recipe r;
  r.links = 2 + Below(random, 15);
  r.flows = 1 + Below(random, 40);
  r.longest_route = 1 + Below(random, 10);
  r.equal = Below(random, 2) == 0;
  r.caps = Below(random, 3) == 0;
  r.latencies = Below(random, 3) == 0;
  r.weights = Below(random, 4) == 0;
  r.staggered = Below(random, 2) == 0;
  r.changes = Below(random, 3) == 0;
  return r;
}

Plan RandomPlan(const Recipe& recipe, uint64_t seed, Pattern::Fold fold) {
  std::mt19937_64 random(seed);
  Plan plan;
  for (int l = 0; l < recipe.links; ++l) {
    const double gigabytes = recipe.equal ? 10 + 10 * Below(random, 2) : 1 + 50 * Uniform(random);
    plan.network.links.push_back(GigabytesPerSecond(gigabytes));
  }
  const int batches = recipe.staggered ? 1 + Below(random, 5) : 1;
  for (int b = 0; b < batches; ++b) {
    FlowBatch batch;
    for (int f = b; f < recipe.flows; f += batches) AddRandomFlow(recipe, random, batch);
    plan.batches.push_back({Duration(recipe.staggered ? Below(random, 1000) * 1'000'000 : 0),
                            Pattern::Make(plan.network, std::move(batch), fold)});
  }
  for (int c = 0; recipe.changes && c < 6; ++c) {
    const int32_t link = Below(random, recipe.links);
    const Duration time(Below(random, 1000) * 1'000'000);
    plan.changes.push_back({time, link, GigabytesPerSecond(0.5 + 30 * Uniform(random))});
    if (c == 0) {
      plan.changes.push_back({time + Microseconds(5), link, recipe.least});
      plan.changes.push_back({time + Milliseconds(2), link, GigabytesPerSecond(20)});
    }
  }
  return plan;
}

FlowBatch AllToAllFlows(int n, Bytes bytes) {
  FlowBatch batch;
  for (int32_t from = 0; from < n; ++from) {
    for (int32_t to = 0; to < n; ++to) {
      const int32_t route[] = {from, n + to};
      if (from != to) batch.Add(route, bytes);
    }
  }
  return batch;
}

Plan AllToAll(int n, Bytes bytes, Bandwidth nic, Pattern::Fold fold) {
  Plan plan;
  plan.network.links.assign(static_cast<size_t>(2 * n), nic);
  plan.batches.push_back({Duration(0), Pattern::Make(plan.network, AllToAllFlows(n, bytes), fold)});
  return plan;
}

std::vector<Duration> RunNative(const Plan& plan) {
  NativeEngine engine(plan.network);
  return RunPlan(plan, engine);
}

void ExpectEnds(const std::vector<double>& seconds, const std::vector<Duration>& ends,
                double relative, Duration slack) {
  ASSERT_EQ(seconds.size(), ends.size());
  for (size_t f = 0; f < ends.size(); ++f) {
    if (seconds[f] == kUnending) {
      EXPECT_EQ(ends[f], Duration::Max()) << "flow " << f;
    } else {
      EXPECT_NEAR(seconds[f], ends[f].seconds(), relative * seconds[f] + slack.seconds())
          << "flow " << f;
    }
  }
}

}  // namespace pipescope::flow
