// What an automatic schedule, or `schedule optimize`, is made for, taken from an experiment.
//
//   costs    F, I, W, B of each stage and FB of each pair of a rank's two stages: the action alone
//            on its rank (sim/lowering/alone.h), in milliseconds
//   comm     one micro-batch's hidden states to the next rank, in milliseconds
//   memory   of a micro-batch on a stage, in GiB: u until its backward, w from its I until its W
//            (sim/timeline/memory.h), so that F adds u, I holds w more and leaves w - u more, W
//            frees w, B frees u
//   limit    of each rank: the GPU's memory less parameters, gradients, optimizer and buffers.
//   Where
//            that does not hold even one micro-batch, but memory is not enforced, as much as one
//            takes: what is made then does not fit, and no other order would need less
//   goal     the makespan, since clipping the gradients joins all ranks at the step's end
//
// Example: DeepSeek-V3 on H800 as experiments/deepseek_v3_h800.yaml has it: u = 0.60, w = 1.1 GiB
// for a stage of four MoE layers.
#pragma once

#include <string>

#include "schedules/optimize/placed_problem.h"
#include "schedules/profile.h"
#include "sim/base/result.h"
#include "sim/experiment/experiment.h"

namespace pipescope {

// Fails where a rank's memory does not hold one micro-batch and the experiment enforces memory.
Result<schedules::Profile> ProfileOf(const Experiment& experiment, schedules::Placement placement);

// "F 26.1 x14, 27 ms by stage; ...": every number of the profile, equal neighbours counted.
std::string ProfileText(const schedules::Profile& profile);

}  // namespace pipescope
