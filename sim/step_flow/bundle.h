// What runs at a time in a step of flows (executor.h): a task on the replicas that started it
// together.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sim/step_flow/transfers.h"

namespace pipescope {

// Replicas of one task that started together.
struct Bundle {
  int32_t task = -1;
  std::vector<int32_t> members;                // replicas
  std::shared_ptr<const Transfers> transfers;  // null: it takes its time
  std::vector<int32_t> left;                   // of each member, flows that have not ended
  int64_t open = 0;                            // flows that have not ended
};

struct Timer {
  Duration time;
  int32_t bundle = 0;
  // Ties by bundle number, so that the order does not depend on the queue.
  friend bool operator>(const Timer& a, const Timer& b) {
    return a.time != b.time ? a.time > b.time : a.bundle > b.bundle;
  }
};

}  // namespace pipescope
