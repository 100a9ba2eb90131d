// What the optimizer is asked, for any placement of the stages on ranks.
//
//   linear          rank r of p holds stage r
//   V               rank r holds stages r (slot 0) and 2p-1-r (slot 1)
//   bidirectional   rank r holds stage r for the first half of the micro-batches (slot 0) and stage
//                   p-1-r for the second half (slot 1), as in DualPipe
//
// Micro-batches of a slot are alike, so each slot takes them in turn for each kind of action (W's
// in the order of their I's), and an order is told by kinds and slots alone: F0 F1 I1 W I0 ... A
// pair's forward is of its slot, its backward of the other one. B may stand for I and W anywhere;
// pairs only where the problem allows them.
//
// Example: V, 1 rank, 1 micro-batch: F0 F1 B1 B0 is 0F0 1F0 1B0 0B0.
// Memory and goal: schedules/profile.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "schedules/profile.h"
#include "schedules/schedule.h"
#include "sim/base/result.h"

namespace pipescope::schedules {

enum class Placement : uint8_t { kLinear, kV, kBidirectional };

struct PlacedProblem {
  int ranks = 0;
  int microbatches = 0;
  Placement placement = Placement::kLinear;
  Goal goal = Goal::kSpan;
  bool pairs = false;  // whether overlapped pairs may be used
  Costs costs;
  std::vector<MemoryDeltas> memory;  // [stage]
  std::vector<double> limit;         // [rank]

  int slots() const { return placement == Placement::kLinear ? 1 : 2; }
  int stages() const { return placement == Placement::kV ? 2 * ranks : ranks; }
  int stage(int rank, int slot) const { return slot == 0 ? rank : stages() - 1 - rank; }
  int of_slot() const {  // micro-batches
    return placement == Placement::kBidirectional ? microbatches / 2 : microbatches;
  }
  int first_microbatch(int slot) const {
    return placement == Placement::kBidirectional ? slot * of_slot() : 0;
  }
  const MemoryDeltas& memory_of(int rank, int slot) const {
    return memory[static_cast<size_t>(stage(rank, slot))];
  }
};

struct Step {
  ActionKind kind = ActionKind::kForward;
  uint8_t slot = 0;  // of the forward, where a pair

  friend bool operator==(const Step&, const Step&) = default;
};

using Steps = std::vector<Step>;
using StepOrder = std::vector<Steps>;  // [rank]

struct Placed {
  StepOrder order;
  double value = 0;    // of the goal
  std::string from;    // how the order came about
  int64_t orders = 0;  // how many were timed
};

// From what is known; lists of one number are spread. Fails where sizes or numbers make no sense,
// or a rank's limit holds not even one micro-batch.
Result<PlacedProblem> MakePlaced(const Profile& profile, int64_t ranks, int64_t microbatches,
                                 Placement placement, bool pairs);

// The rank's own order is complete and legal, and no moment of it exceeds the rank's limit. (The
// ranks together may still hang: PlacedTime tells.)
bool Fits(const PlacedProblem& problem, int rank, const Steps& steps);
// The most the rank holds at any moment.
double PeakMemory(const PlacedProblem& problem, int rank, const Steps& steps);

// No order can have a smaller value: the work of the rank that has most, pairs where they save,
// after the wait for its first input where the makespan counts.
double LowerBound(const PlacedProblem& problem);

Schedule ToSchedule(const PlacedProblem& problem, const StepOrder& order, const std::string& name);

// Of a schedule of this placement.
Steps StepsOf(const PlacedProblem& problem, int rank, const std::vector<Action>& actions);
// Nothing where the schedule is not of this placement, leaves the turn of the micro-batches, or
// does not fit in memory.
std::optional<StepOrder> StepsOf(const PlacedProblem& problem, const Schedule& schedule);

}  // namespace pipescope::schedules
