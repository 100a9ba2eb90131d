// What a rank's actions cost under a schedule, out of one play of its stages (rank_play.h).
//
//   the n-th F, backward pass or weight gradient of a stage on the rank costs what the n-th one of
//   the play did: I and W of the order that splits, B of the one that does not, F of the one that
//   does as the rank does
//   alone = beside x the share that its step takes while other ranks wait
//
// Example: 1F1B's F0 F1 B0: F0 costs the first F played, which found caches cold, F1 the second.
#pragma once

#include <vector>

#include "kernels/executor/work.h"
#include "kernels/transformer/rank_play.h"
#include "kernels/transformer/run_costs.h"
#include "schedules/schedule.h"

namespace pipescope::transformer {

// Whether the rank has weight gradients apart from the backward passes that they belong to.
bool Splits(const std::vector<schedules::Action>& actions);

// Alone over beside, by step; at most 1.
using AloneShares = std::map<ActionKey, std::vector<double>>;

// Medians over the plays: `alone` are those in which the other ranks waited; without any, 1.
AloneShares AloneSharesOf(const std::vector<const ActionTimes*>& beside,
                          const std::vector<const ActionTimes*>& alone);

struct RankDraw {
  const PlayTimes& times;
  const AloneShares &whole, &split;
};

// `work` is asked for the steps of the actions, and what they are called.
std::vector<TimedAction> CostsOf(const std::vector<schedules::Action>& actions,
                                 executor::RankWork& work, const RankDraw& draw);
TimedAction StepEndCosts(executor::RankWork& work, const RankDraw& draw);

}  // namespace pipescope::transformer
