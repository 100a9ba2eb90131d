// Tokens of PyTorch's pipelining IR: an action as text, and back.
//
//   [stage][F|I|W|B][micro-batch]             "3F0"
//   ([stage]F[mb];[stage]B[mb])OVERLAP_F_B    "(0F7;7B3)OVERLAP_F_B"
//
// Files written before PyTorch renamed its letters say B for the input gradient and BW for the
// full backward; they are read with Letters::kOld and always printed with today's letters.
//
// Source: torch/distributed/pipelining/schedules.py, class _Action (format only).
#pragma once

#include <string>
#include <string_view>

#include "schedules/schedule.h"
#include "sim/base/result.h"

namespace pipescope::schedules {

enum class Letters { kCurrent, kOld };

// Fails, saying what was expected, on anything but one whole compute action; communication actions
// of a lowered schedule (SEND_F, UNSHARD, ...) are named as such.
Result<Action> ParseToken(std::string_view text, Letters letters = Letters::kCurrent);

std::string ToToken(const Action& action);
void AppendToken(const Action& action, std::string& text);

// The two halves of any action: which forward it holds, which backward, if any. A weight gradient
// holds neither.
inline bool HasForward(const Action& action) {
  return action.kind == ActionKind::kForward || action.kind == ActionKind::kOverlapped;
}
// After which an activation is held no more: B, a pair, or the W of a split backward.
inline bool EndsBackward(const Action& action) {
  return action.kind != ActionKind::kForward && action.kind != ActionKind::kInputGrad;
}
// True where the action gives the input gradient that the previous stage waits for.
inline bool HasBackward(const Action& action) {
  return action.kind == ActionKind::kInputGrad || action.kind == ActionKind::kBackward ||
         action.kind == ActionKind::kOverlapped;
}
inline StageId BackwardStage(const Action& action) {
  return action.kind == ActionKind::kOverlapped ? action.backward_stage : action.stage;
}
inline MicrobatchId BackwardMicrobatch(const Action& action) {
  return action.kind == ActionKind::kOverlapped ? action.backward_microbatch : action.microbatch;
}

}  // namespace pipescope::schedules
