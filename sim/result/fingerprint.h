// What of a step must be kept to say later why another one is slower: by rank the mean length of
// each kind of action, and all its waits by cause and by the kind of action that ends them.
//
//   kind   "3F": stage and letter of PyTorch's IR, "0F7B" an overlapped pair
//   wait   "drain 3B": the sum of what the rank waits for that cause (sim/timeline/bubbles.h)
//          before actions of that kind; "drain end" up to the pipeline's end
//
// The waits add up to the rank's bubble. Some 15 figures a rank: it fits into a baseline file.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/result/result_types.h"

namespace pipescope {

struct RankPrint {
  double busy_s = 0;
  double bubble_s = 0;
  double peak_bytes = 0;
  double activations_bytes = 0;
  std::map<std::string, double> actions_s;  // mean length by kind
  std::map<std::string, double> waits_s;    // sums by cause and kind
};
using Fingerprint = std::vector<RankPrint>;  // by rank

Fingerprint FingerprintOf(const StepResult& result);

// "drain 3B" of a gap.
std::string WaitOf(const StepResult& result, const timeline::Gap& gap);

// "3F" of an action.
std::string KindOf(const schedules::Action& action);

}  // namespace pipescope
