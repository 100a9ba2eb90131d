#include "sim/flow/run.h"

#include <algorithm>
#include <numeric>

#include "sim/base/result.h"

namespace pipescope::flow {
namespace {

// The numbers of `items` in the order of their times.
template <class T, class TimeOf>
std::vector<size_t> ByTime(const std::vector<T>& items, TimeOf time_of) {
  std::vector<size_t> order(items.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return time_of(items[a]) < time_of(items[b]); });
  return order;
}

}  // namespace

std::vector<Duration> RunPlan(const Plan& plan, Engine& engine) {
  const auto batches = ByTime(plan.batches, [](const TimedBatch& b) { return b.start; });
  const auto changes = ByTime(plan.changes, [](const CapacityChange& c) { return c.time; });
  std::vector<FlowId> first_of(plan.batches.size());  // id in the plan, of the batch's first flow
  FlowId flows = 0;
  for (size_t b = 0; b < plan.batches.size(); ++b) {
    first_of[b] = flows;
    flows += plan.batches[b].pattern->batch().size();
  }
  std::vector<FlowId> id_in_plan(static_cast<size_t>(flows));  // by the engine's id
  std::vector<Ended> ended;
  size_t b = 0;
  size_t c = 0;
  while (b < batches.size() || c < changes.size()) {
    Duration now = Duration::Max();
    if (b < batches.size()) now = std::min(now, plan.batches[batches[b]].start);
    if (c < changes.size()) now = std::min(now, plan.changes[changes[c]].time);
    engine.AdvanceTo(now, ended);
    for (; c < changes.size() && plan.changes[changes[c]].time == now; ++c) {
      const CapacityChange& change = plan.changes[changes[c]];
      engine.SetCapacity(change.link, change.capacity);
    }
    for (; b < batches.size() && plan.batches[batches[b]].start == now; ++b) {
      const TimedBatch& batch = plan.batches[batches[b]];
      const FlowId first = engine.Add(batch.pattern);
      std::iota(id_in_plan.begin() + first,
                id_in_plan.begin() + first + batch.pattern->batch().size(), first_of[batches[b]]);
    }
  }
  engine.AdvanceTo(Duration::Max(), ended);
  std::vector<Duration> ends(static_cast<size_t>(flows), Duration::Max());
  for (const Ended& e : ended) {
    for (FlowId id = e.first; id < e.first + e.count; ++id) {
      ends[static_cast<size_t>(id_in_plan[static_cast<size_t>(id)])] = e.time;
    }
  }
  return ends;
}

}  // namespace pipescope::flow
