// Operations with what they need and what they wait for: the engines' input.
//
// A task runs when all tasks it waits for have ended. While it runs it uses shared resources of its
// rank (HBM, NVLink, NIC out, NIC in; a message uses its peer's NIC in) at the rates of its
// template, scaled down together where a resource is short. Order on a lane is an edge like any
// other.
//
// Where several ranks share one machine, its processors are a resource of all of them: R tasks that
// use one processor each and share C of them run at min(1, C / R).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "schedules/schedule.h"
#include "sim/base/units.h"
#include "sim/costs/demand.h"
#include "sim/costs/prices.h"
#include "sim/timeline/timeline.h"

namespace pipescope {

enum class Resource : uint8_t { kMemory, kNvlink, kNetworkOut, kNetworkIn, kProcessors };
inline constexpr int kResources = 5;

// Which GPUs of a rank meet in a task: groups of `size` whose members lie `stride` apart, and how
// they send. Of 2 x 2 x 4 GPUs (data, context, tensor) the groups are
//
//   tensor {4, 1}   context {2, 4}   replicas of what tensor splits {4, 4}   all {16, 1}
//
// Where several ranks hold a stage, as the two copies of a bidirectional schedule, their groups of
// one number meet as one: `size` GPUs of each of `ranks`, one rank's after the other's.
struct Group {
  int32_t size = 1;
  int32_t stride = 1;
  bool direct = false;              // each to each; else around a ring
  std::vector<int32_t> ranks = {};  // ascending; empty: the task's own alone

  // The group that GPU i of the rank is in, counted over the rank, and where its members are.
  int32_t Of(int32_t i) const { return i / (size * stride) * stride + i % stride; }
  int32_t Member(int32_t group, int32_t place) const {
    return group / stride * size * stride + place * stride + group % stride;
  }
};

struct TaskTemplate {
  int32_t label = 0;  // of TaskGraph::labels
  costs::Demand demand;
  std::array<double, kResources> rates = {};  // bytes per second at full speed; processors
  std::vector<costs::PricePart> parts = {};   // what the time is made of, where it was looked up
  Group group = {};                           // who starts together
};

struct Task {
  int32_t rank = 0;
  int32_t peer = 0;  // whose NIC in is used; the rank itself but for messages
  int32_t templ = 0;
  int32_t action = -1;
};

// The rank whose `resource` a task uses; rank 0 stands for what all share.
inline int32_t OwnerOf(const Task& task, Resource resource) {
  if (resource == Resource::kProcessors) return 0;
  return resource == Resource::kNetworkIn ? task.peer : task.rank;
}

// A collective joins all replicas of its rank when the graph is unfolded into single GPUs. One of
// several ranks is a task on each; all of them wait for the same, and who waits for one for all.
struct TaskGraph {
  int ranks = 0;
  std::array<double, kResources> capacity = {};  // of each rank, bytes per second; processors
  std::vector<timeline::Label> labels;
  std::vector<TaskTemplate> templates;
  std::vector<Task> tasks;
  std::vector<std::pair<int32_t, int32_t>> edges;  // (before, after)
  std::vector<timeline::ActionSpan> actions;       // times are the engine's to fill
  std::vector<std::pair<int, int>> rank_actions;
  std::vector<timeline::Message> messages;
};

}  // namespace pipescope
