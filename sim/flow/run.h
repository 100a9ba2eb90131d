// Runs a list of flows that is known beforehand, to its end, on either engine.
#pragma once

#include <memory>
#include <vector>

#include "sim/flow/engine.h"

namespace pipescope::flow {

struct TimedBatch {
  Duration start;
  std::shared_ptr<const Pattern> pattern;
};

struct CapacityChange {
  Duration time;
  int32_t link = 0;
  Bandwidth capacity;
};

struct Plan {
  Network network;
  std::vector<TimedBatch> batches;      // ids are given in this order
  std::vector<CapacityChange> changes;  // at the same time the later one counts
};

// When each flow ends, by id; Duration::Max() for those that never do. What happens at one time:
// ends first, then changes, then batches. The engine must be new and of the plan's network.
std::vector<Duration> RunPlan(const Plan& plan, Engine& engine);

}  // namespace pipescope::flow
