// What a dispatch or combine waits before it moves anything: the meeting of its group.
//
// Ranks of an expert-parallel group compute between two all-to-alls, none exactly as long as the
// others: routing gives them more or fewer rows, clocks and memory differ. With times spread
// normally, standard deviation s relative to the mean C, the mean rank waits for the slowest of n
//   s C e(n),   e(n): sim/base/order_statistics.h
// (Waits of successive meetings are taken as independent.) To that come
// the messages: counts are exchanged between two meetings, or, where the layout is known, not.
//
// DeepSeek-V3's pair on 64 GPUs computes 7.8 ms between meetings; s = 11 % makes that 2.0 ms.
#pragma once

#include "sim/base/units.h"
#include "sim/costs/communication_cost.h"
#include "sim/costs/efficiencies.h"

namespace pipescope::costs {

struct Meeting {
  int ranks = 1;                  // of the group
  bool between_nodes = false;     // whether they are on several nodes
  bool exchanges_counts = false;  // a dispatch whose layout is new
  Duration computed;              // of MoE layers by each of them since the last one, in the mean
};

Duration NotifyTime(const Meeting& meeting, const Links& links, const Efficiencies& efficiencies);

}  // namespace pipescope::costs
