// Orders on a V from a building block: the slots of one micro-batch, repeated every six.
//
// Each rank of p has two stages, one down the V and one up, thus six actions of a micro-batch; a
// block says in which slot each rank runs the first four (weight gradients take what is left), such
// that repeating it every six slots never puts two actions of a rank into one. How long a forward
// is held until its backward fixes the memory of the repetition; the block is chosen for that. What
// repetition leaves idle while the pipeline fills and drains is then made use of:
//
//   1  Weight gradients are put, in turn, into the idle slots that follow their input gradients.
//   2  Every action of the fill (up to rank 0's first input gradient down the V) and of the drain
//      (from the last first forward on) moves to the earliest idle slot after its inputs that does
//      not raise the activations of its rank above the highest of any rank.
//   3  Weight gradients are taken out, and the drain is moved once more, weight gradients counting
//      as run in the idle slots; then they are put back, those of the up leg first.
//
// After 1-2 and at the end slots without use vanish: actions keep their order and start as soon as
// they can. Moving looks at the fill and the drain alone, so that time is linear in the number of
// micro-batches.
//
// Example: families/v_min.cc. Source: Qi et al., "Pipeline Parallelism with Controllable Memory",
// arXiv 2405.15362; the rules of moving as in github.com/sail-sg/zero-bubble-pipeline-parallelism.
#pragma once

#include <string>
#include <vector>

#include "schedules/family.h"
#include "schedules/schedule.h"

namespace pipescope::schedules {

// Of the first micro-batch, on one rank.
struct BlockSlots {
  int forward_down = 0;
  int forward_up = 0;
  int input_up = 0;
  int input_down = 0;
};

// [rank][position].
std::vector<std::vector<Action>> OrdersFromBlock(const std::vector<BlockSlots>& block,
                                                 int microbatches);

// Blocks are laid out over all slots of all ranks, and the work of moving grows with the cube of
// the ranks: fails above 1024 of them, where it takes half a minute. `name` is of the schedule, for
// the error.
Status CheckBlockRanks(const std::string& name, const Options& options);

}  // namespace pipescope::schedules
