// An action as operations on two lanes: what every action of its kind and stage looks like.
//
// Alone, F, I, W and B run their phases one after the other: nothing hides the communication. An
// overlapped pair runs a forward and a backward layer side by side, in the order that DeepSeek
// published (arXiv 2412.19437, figure 4; deepseek-ai/profile-data), layer i of the forward with
// layer i from the end of the backward:
//
//   compute        attention F   mlp I   mlp W   mlp F     attention I   attention W
//   communication  combine B     dispatch F   dispatch B   combine F     (next combine B)
//
// Each lane keeps its order; besides, a phase waits for its inputs: mlp I for combine B, dispatch F
// for attention F, dispatch B for mlp I, mlp F for dispatch F, attention I for dispatch B, combine
// F for mlp F, the next attention F for combine F and the next combine B for attention I.
#pragma once

#include <cstdint>
#include <vector>

#include "schedules/schedule.h"
#include "sim/lowering/phase_costs.h"
#include "sim/model/layout.h"

namespace pipescope {

struct OperationSpec {
  int32_t templ = 0;
  std::vector<int32_t> after = {};  // operations of the same action, by index
};

struct ActionTemplate {
  std::vector<OperationSpec> operations;
  // Which operation takes in the action's inputs and which one yields its results; -1: none.
  int32_t takes_activation = -1;  // F's input
  int32_t gives_activation = -1;  // F's output
  int32_t takes_gradient = -1;    // I's or B's input
  int32_t gives_gradient = -1;    // I's or B's output
  std::vector<int32_t> roots;     // wait for the rank's previous action
  std::vector<int32_t> sinks;     // end the action
};

// What a stage does, block by block, with its costs looked up.
ActionTemplate MakeActionTemplate(schedules::ActionKind kind, const model::StageLayout& stage,
                                  const model::StageLayout& backward_stage,
                                  const Experiment& experiment, PhaseCosts& costs);

}  // namespace pipescope
