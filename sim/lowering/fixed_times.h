// Fidelity `schedule`: what each action and each hop takes, whatever else runs.
//
//   action  the time of its operations on a rank where nothing else runs (alone.h)
//   hop     one micro-batch's hidden states between two ranks that nothing else uses
//
// A full backward is its input gradient and the rest, so that both are told apart in a timeline;
// its result appears at its end, as schedules/evaluate.h has it.
#pragma once

#include <map>
#include <tuple>

#include "schedules/schedule.h"
#include "sim/base/units.h"

namespace pipescope {

struct FixedTimes {
  // Of an action by kind, stage and, of a pair, backward stage (else the stage again).
  using Key = std::tuple<schedules::ActionKind, int, int>;
  std::map<Key, Duration> action;
  Duration hop;

  static Key KeyOf(const schedules::Action& a) {
    const bool pair = a.kind == schedules::ActionKind::kOverlapped;
    return {a.kind, a.stage.value(), (pair ? a.backward_stage : a.stage).value()};
  }
};

}  // namespace pipescope
