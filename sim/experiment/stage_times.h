// What a framework's timers say of whole stages, as a source of costs:
//
//   costs: {stages: {count: 8, forward: 18.522 ms, input_grad: 18.086 ms, weight_grad: 9.337 ms,
//                    hop: 0.601 ms, hop_between_nodes: 1.6 ms}}
//
// Means over `count` stages of one micro-batch's F, I and W, nothing beside them, and of a message
// between two ranks, where those between nodes are not told apart. Stages differ (embedding, head,
// a layer fewer), and means do not tell how: the analytic model does. A phase of pass p costs
//   analytic(phase) x count x measured_p / sum over the whole model of analytic(phases of p)
// so that the model's F, I and W add up to what was measured however it is cut into stages. A
// recomputed forward pass is part of what was measured as I.
//
// Example: a GPT of 22 layers on 8 stages, F 18.522 ms in the mean: 148.2 ms in all, of which the
// head takes what the model says is its share, wherever it lies.
#pragma once

#include <optional>

#include "sim/base/fields.h"
#include "sim/base/units.h"
#include "sim/model/operations.h"

namespace pipescope {

struct Experiment;

struct StageTimes {
  int count = 0;
  Duration forward, input_grad, weight_grad;
  std::optional<Duration> hop, hop_between_nodes;
};
// Nothing where `costs` has no `stages`.
std::optional<StageTimes> ReadStageTimes(Fields& costs);

// Times by which the analytic cost of a phase is multiplied; 1 where nothing was measured.
struct StageScale {
  double forward = 1, input_grad = 1, weight_grad = 1;
  bool measured = false;
  std::optional<Duration> hop, hop_between_nodes;

  double Of(model::Pass pass) const {
    return pass == model::Pass::kForward     ? forward
           : pass == model::Pass::kInputGrad ? input_grad
                                             : weight_grad;
  }
};
StageScale ScaleOf(const Experiment& experiment, const StageTimes& times);

}  // namespace pipescope
