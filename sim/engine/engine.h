// Runs a task graph: when does every task start and end, and what released it.
//
// Model. A task alone takes its template's time t and moves bytes at rate r on each resource. With
// others it progresses at a speed x in (0, 1]; the speeds solve
//   sum over tasks of x r  <=  capacity,  for each resource,
// max-min fairly: all speeds rise together from 0 until a resource is full, which holds the speeds
// of those that use it, while the others rise on, up to 1. Speeds change only when a task starts or
// ends. Where no resource is over-subscribed every speed is 1 and nothing is solved.
//
// Example: two messages of 40 GB/s on a NIC of 40 GB/s each run at 1/2 while both are there.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/base/units.h"
#include "sim/lowering/task_graph.h"

namespace pipescope {

struct TaskTimes {
  std::vector<Duration> start;
  std::vector<Duration> end;
  std::vector<int32_t> released_by;  // -1: at the step's start
};

// Deterministic: ties are resolved by task number. Aborts on a cyclic graph, which no checked
// schedule yields.
TaskTimes RunFluid(const TaskGraph& graph);

// The same graph with other templates in place of its own: what if these costs were different?
TaskTimes RunFluid(const TaskGraph& graph, std::span<const TaskTemplate> templates);

}  // namespace pipescope
