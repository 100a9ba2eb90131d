// Where the costs of a step come from, and how far off they may make it.
//
//   share of an origin   time of all parts of that origin / time of all parts, over all ranks
//   interval             step time +- sqrt(sum over subjects of D^2), where D is how much
//                        longer the step takes with all costs of one subject (GEMMs,
//                        attention, dispatch and combine, ...) longer by their spread: errors
//                        within a subject go together, those of two subjects do not. What is
//                        hidden counts as little as it does in the step
// A guessed shape is a part that was not measured, with its share of the same sum.
#pragma once

#include "sim/lowering/task_graph.h"
#include "sim/result/result_types.h"

namespace pipescope {

// All but the interval.
CostShares CostSharesOf(const TaskGraph& graph);

// At fidelity `op`, by a run for each subject, side by side on the cores that there are.
Duration SpreadOfStep(const TaskGraph& graph);

}  // namespace pipescope
