#include "sim/result/result_types.h"

namespace pipescope {

timeline::Breakdown StepResult::mean_breakdown() const {
  timeline::Breakdown mean;
  if (breakdown.empty()) return mean;
  const auto average = [&](Duration timeline::Breakdown::*part) {
    int64_t sum = 0;
    for (const timeline::Breakdown& rank : breakdown) sum += (rank.*part).picoseconds();
    mean.*part = Duration(sum / static_cast<int64_t>(breakdown.size()));
  };
  using B = timeline::Breakdown;
  for (const auto part : {&B::forward, &B::backward_input, &B::backward_weight, &B::overlapped,
                          &B::exposed_communication, &B::bubble, &B::optimizer}) {
    average(part);
  }
  return mean;
}

}  // namespace pipescope
