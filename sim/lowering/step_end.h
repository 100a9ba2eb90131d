// The end of a step: gradients summed over replicas, clipping, optimizer, parameters gathered.
//
// ZeRO-1 over the GPUs that hold the same parameters (group n, which in bidirectional schedules
// includes the other copy):
//   reduce-scatter  4 bytes (FP32) or 2 a parameter, per stage, once its last weight gradient on
//                   every rank that holds it is done (or, without overlap, when the rank is done)
//   clipping        the global norm: an all-reduce of one number, which joins all ranks
//   AdamW           1/n of the parameters; reads the gradient, reads and writes master and moments,
//                   writes the parameter: 4 + 2 (4 + 2 moments) + 2 bytes
//   all-gather      2 bytes a parameter: at the end, or, with communication.overlap_parameters, of
//                   the step before, as this one starts: stage by stage in the order of their first
//                   forwards, which wait for them
// Where training.gradient_passes is separate, as in Megatron-LM, kernels of their own zero, check
// and scale all gradients before the reduce-scatter, 16 bytes a parameter held (FP32), and take
// the norm of the shard and clip it before AdamW, and copy the result to BF16: 16 bytes a parameter
// updated (the list of passes: SimuMax, perf_llm.py, after Megatron-LM's distributed optimizer).
// Shared parameters lie on all data-parallel GPUs, experts on one of `expert` each, so their groups
// differ: per node all GPUs take part in the former, as a rule one in the latter.
//
// A stage's copies meet: its collectives start on all ranks that hold it together, and what comes
// after on any of them waits until all are done. So all ranks gather in one order: parameters that
// are gathered as the step starts, by how early in a rank's order a first forward needs them.
//
// Example: DualPipe, ranks 0 and 3 of 4, stages 0 and 3. Rank 0 first needs stage 0, rank 3 stage
// 3; both gather stage 0 before stage 3, as a gather takes halves of both.
#pragma once

#include "sim/experiment/experiment.h"
#include "sim/lowering/ownership.h"
#include "sim/lowering/phase_costs.h"

namespace pipescope {

// Adds the tasks of the step's end. `backward_done[rank][i]` are the tasks that end the last
// backward action of the i-th stage of `ownership.stages_of_rank[rank]`; `rank_done[rank]` those
// that end the rank's last action; `first_forward[rank][i]` starts the first forward of that stage.
void AddStepEnd(const Experiment& experiment, const model::Layout& layout,
                const Ownership& ownership, PhaseCosts& costs,
                const std::vector<std::vector<std::vector<int32_t>>>& backward_done,
                const std::vector<std::vector<int32_t>>& rank_done,
                const std::vector<std::vector<int32_t>>& first_forward, TaskGraph& graph);

}  // namespace pipescope
