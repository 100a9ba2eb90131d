// Rows to experts and back as operations on a tape: expert_rows.h's dispatch and combine.
#pragma once

#include <vector>

#include "kernels/transformer/expert_rows.h"
#include "kernels/transformer/operations.h"

namespace pipescope::transformer {

// Arrived, on a tape.
struct ArrivedTensors {
  int group = 0;
  Tensor rows, weights;
  std::vector<int32_t> experts;
};

// The gradient of a dispatch is a combine, that of a combine a dispatch by the same plan.
std::vector<ArrivedTensors> SendRows(Tape& tape, ExpertRows& carried, const Tensor& x,
                                     const Choice& choice);
Tensor CollectRows(Tape& tape, ExpertRows& carried, const std::vector<Tensor>& results);

}  // namespace pipescope::transformer
