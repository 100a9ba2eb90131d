// Where the costs of a step come from, and how far off they may make it.
//
//   share of an origin   time of all parts of that origin / time of all parts, over all ranks
//   interval             step time +- the sum of the spreads of all parts on the busiest rank: as
//   if
//                        all of them erred to the same side, which bounds what they do together
// A guessed shape is a part that was not measured, with its share of the same sum. What has no
// parts (dispatch by DeepEP and notify, where no profile has them) is in no share.
#pragma once

#include "sim/lowering/task_graph.h"
#include "sim/result/result_types.h"

namespace pipescope {

CostShares CostSharesOf(const TaskGraph& graph);

}  // namespace pipescope
