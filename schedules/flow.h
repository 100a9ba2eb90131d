// The flat form of a schedule: actions numbered rank by rank, and who waits for whom.
//
// Action `id` of rank r is at position id - offset[r]. What an action needs from its own rank is
// guaranteed by the order (or is a finding); what remains are at most two needs of other ranks:
//
//   needs[id].forward    F(s-1, m), for the action that holds F(s, m)
//   needs[id].backward   I or B(s+1, m), for the action that holds I or B(s, m)
//
// `runs` is one order in which a single pass over all actions meets every need before it is used:
// stretches of consecutive ids of one rank. A rank that cannot run to its end (a deadlock) stops at
// the id in `stopped`.
//
// Example: ranks {0F0, 0B0} and {1F0, 1B0} have ids 0 1 | 2 3; needs are 2 <- 0 and 1 <- 3, and
// the runs are [0,1) [2,4) [1,2).
#pragma once

#include <vector>

#include "schedules/finding.h"
#include "schedules/schedule.h"

namespace pipescope::schedules {

struct Needs {
  int32_t forward = -1;  // ids; -1: none
  int32_t backward = -1;
};

struct Run {
  int32_t rank = 0;
  int32_t begin = 0;  // ids
  int32_t end = 0;
};

struct Flow {
  std::vector<int32_t> offset;   // [ranks + 1]
  std::vector<int32_t> rank_of;  // [id]
  std::vector<Needs> needs;      // [id]
  std::vector<Run> runs;
  std::vector<int32_t> stopped;  // [rank]: offset[rank + 1] where it ran to its end
  bool legal = false;            // every need exists and own-rank needs come first
  bool complete = false;         // legal, and every rank runs to its end

  int32_t RankOf(int32_t id) const { return rank_of[static_cast<size_t>(id)]; }
};

// Linear in the number of actions. Where `findings` is given, says there what is not legal (at most
// kMostFindings); needs and runs are only filled where the schedule is legal.
Flow BuildFlow(const Schedule& schedule, std::vector<Finding>* findings = nullptr);

inline constexpr size_t kMostFindings = 20;

}  // namespace pipescope::schedules
