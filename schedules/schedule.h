// The schedule IR: for every rank the list of actions it runs, in order.
//
// An action is one compute step of one micro-batch on one stage, named by the letters and tokens
// of PyTorch's pipelining IR:
//
//   F forward           "3F0"                     stage 3, micro-batch 0
//   I input gradient    "3I0"
//   W weight gradient   "3W0"
//   B full backward     "3B0"                     I and W in one
//   overlapped pair     "(0F7;7B3)OVERLAP_F_B"    F of one micro-batch with B of another
//
// Ranks run their actions in order, each as soon as its inputs are there. Dependencies follow
// from the tokens alone, wherever the actions live:
//   F(s, m) needs F(s-1, m);  I or B(s, m) needs F(s, m) and I or B(s+1, m);
//   W(s, m) needs I(s, m).
// Which rank holds a stage follows from the lists too. In bidirectional schedules (DualPipe,
// Chimera) a stage has two copies, on different ranks, and the micro-batch decides which is used.
#pragma once

#include <string>
#include <vector>

#include "sim/base/ids.h"

namespace pipescope::schedules {

enum class ActionKind : uint8_t { kForward, kInputGrad, kWeightGrad, kBackward, kOverlapped };

struct Action {
  ActionKind kind = ActionKind::kForward;
  StageId stage;                          // of the forward half, where kOverlapped
  MicrobatchId microbatch;                // likewise
  StageId backward_stage = {};            // kOverlapped only: the half that is a full backward
  MicrobatchId backward_microbatch = {};  // likewise

  friend bool operator==(const Action&, const Action&) = default;
};

struct Schedule {
  std::string name;  // the contract's name, such as "dualpipe"; "csv" for a file's
  int ranks = 0;
  int stages = 0;
  int microbatches = 0;
  int slices = 1;  // of a sequence, each counted as a micro-batch of its own
  std::vector<std::vector<Action>> actions;  // [rank][position]
};

}  // namespace pipescope::schedules
