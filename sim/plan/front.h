// Which plans no other one beats, in time, memory and GPUs.
#pragma once

#include <vector>

#include "sim/result/plan_types.h"

namespace pipescope::plan {

// The least a plan takes of each; less is better.
struct Standing {
  Duration time;
  Bytes memory;
  int gpus = 0;

  // No worse in anything; equal counts.
  bool Covers(const Standing& other) const {
    return time <= other.time && memory <= other.memory && gpus <= other.gpus;
  }
};

Standing StandingOf(const PlanEntry& entry);

// Fastest first; of plans that are equal in all three the first.
std::vector<PlanEntry> FrontOf(std::vector<PlanEntry> entries);

// Fastest first; equal ones by memory, then by what they choose: the same order whoever came first.
void SortByTime(std::vector<PlanEntry>& entries);

}  // namespace pipescope::plan
