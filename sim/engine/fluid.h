// Speeds of running tasks under shared resources; see engine.h for the model.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/lowering/task_graph.h"

namespace pipescope {

// A task that is running. Slots are reused.
struct Running {
  int32_t task = -1;
  std::array<int32_t, kResources> resource = {-1, -1, -1, -1, -1};
  std::array<double, kResources> rate = {};
  double speed = 1;
  double remaining = 0;  // picoseconds at full speed, as of `updated`
  int64_t updated = 0;
  int64_t finish = 0;
  uint32_t version = 0;  // of `finish`; older events in the queue are void
};

// The set of running tasks and the resources they use.
class FluidSet {
 public:
  // Both must outlive the set; a task's template is that of the list.
  FluidSet(const TaskGraph& graph, std::span<const TaskTemplate> templates);

  // Starts a task at `now`; appends to `changed` every slot whose speed is new.
  void Add(int32_t task, int64_t now, std::vector<int32_t>& changed);
  void Remove(int32_t slot, int64_t now, std::vector<int32_t>& changed);
  const Running& running(int32_t slot) const { return slots_[static_cast<size_t>(slot)]; }

 private:
  struct ResourceState {
    double capacity = 0;
    double load = 0;             // sum of rates at full speed
    std::vector<int32_t> users;  // slots
    bool seen = false;
    double free = 0;    // while solving: capacity not yet given away
    double rising = 0;  // while solving: rates of tasks whose speed still rises
  };
  Running& slot(int32_t s) { return slots_[static_cast<size_t>(s)]; }
  ResourceState& resource(int32_t r) { return resources_[static_cast<size_t>(r)]; }
  bool Short(const ResourceState& r) const { return r.load > r.capacity * (1 + 1e-12); }

  // Finds all tasks coupled to the seeds through short resources and solves their speeds.
  void Resolve(int64_t now, std::vector<int32_t>& changed);
  void CollectComponent();
  void SetSpeed(int32_t slot, double speed, int64_t now, std::vector<int32_t>& changed);

  const TaskGraph& graph_;
  std::span<const TaskTemplate> templates_;
  std::vector<ResourceState> resources_;
  std::vector<Running> slots_;
  std::vector<int32_t> free_slots_;
  std::vector<int32_t> seeds_;        // resources to look at
  std::vector<int32_t> component_;    // slots
  std::vector<int32_t> bottlenecks_;  // short resources of the component
  std::vector<bool> in_component_;    // by slot
};

}  // namespace pipescope
