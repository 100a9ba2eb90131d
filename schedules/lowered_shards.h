// Sharded parameters and gradients in a lowered list (FSDP): putting UNSHARD, RESHARD and
// REDUCE_GRAD there, and checking them where a file has them.
//
//   resident(stage)  from its UNSHARD to its RESHARD
//   kept at a list's position: the next n different stages of the list, in order of first use
//
// Example, n = 1: 0F0,2F0,2B0,0B0 becomes
//   0UNSHARD,0F0,0RESHARD,2UNSHARD,2F0,2B0,2RESHARD,0UNSHARD,0B0,0RESHARD
#pragma once

#include <vector>

#include "schedules/finding.h"
#include "schedules/lowered.h"

namespace pipescope::schedules {

// A pair that fills the last place keeps both of its stages, as PyTorch does: n + 1 then.
std::vector<LoweredAction> WithUnshards(const std::vector<LoweredAction>& list,
                                        int max_active_stages);

// REDUCE_GRAD after the last W or B of every stage of the list.
std::vector<LoweredAction> WithReductions(const std::vector<LoweredAction>& list);

// A stage that is ever UNSHARDed or RESHARDed is so in turn, and resident at its compute actions; a
// stage's gradients are reduced at most once, after its last W or B. At most kMostFindings.
void CheckShards(const LoweredSchedule& lowered, std::vector<Finding>& findings);

}  // namespace pipescope::schedules
