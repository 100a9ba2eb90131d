// The messages of a lowered schedule: which SEND belongs to which RECV, and whether both stand
// where they may.
//
// Actions are numbered rank by rank, as in flow.h. partner[id] of a SEND is its RECV and the other
// way round; -1 for everything else. Legal is a lowered schedule whose compute actions pass Check,
// and where
//   every result that another rank needs has one SEND and one RECV, and nothing else has any
//   a SEND comes after the action that gives what it sends, on that action's rank
//   a RECV comes before the action that needs what it receives, on that action's rank
//
// Example: {0F0, 0SEND_F0, 0RECV_B0, 0B0} and {1RECV_F0, 1F0, 1B0, 1SEND_B0} have ids 0 1 2 3 | 4
// 5 6 7; partner is -1 4 7 -1 | 1 -1 -1 2.
#pragma once

#include <vector>

#include "schedules/finding.h"
#include "schedules/lowered.h"

namespace pipescope::schedules {

struct LoweredFlow {
  std::vector<int32_t> offset;   // [ranks + 1]
  std::vector<int32_t> rank_of;  // [id]
  std::vector<int32_t> partner;  // [id]
  bool legal = false;

  int32_t RankOf(int32_t id) const { return rank_of[static_cast<size_t>(id)]; }
  int32_t PositionOf(int32_t id) const { return id - offset[static_cast<size_t>(RankOf(id))]; }
};

// Linear in the number of actions. Adds what is not legal to `findings`, at most kMostFindings.
LoweredFlow BuildLoweredFlow(const LoweredSchedule& lowered, std::vector<Finding>& findings);

const LoweredAction& ActionAt(const LoweredSchedule& lowered, const LoweredFlow& flow, int32_t id);

}  // namespace pipescope::schedules
