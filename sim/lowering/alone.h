// Single actions and messages, away from any step: what fidelity `schedule` calls their costs.
//
// An action's time is that of its operations (action_template.h) on a rank where nothing else runs;
// a pair's two halves share HBM, NVLink and NIC as they do in a step. A hop's time is that of one
// micro-batch's hidden states, tokens x hidden x 2 bytes, between the GPUs of the same index of two
// neighbouring ranks.
#pragma once

#include "schedules/schedule.h"
#include "sim/costs/routing.h"
#include "sim/experiment/experiment.h"
#include "sim/lowering/phase_costs.h"
#include "sim/lowering/task_graph.h"
#include "sim/model/layout.h"

namespace pipescope {

// One rank that runs this one action.
TaskGraph LowerAlone(const Experiment& experiment, const model::Layout& layout,
                     const costs::Spread& spread, const schedules::Action& action);

Bytes MessageSize(const Experiment& experiment);

costs::Price HopPrice(const PhaseCosts& costs, const Experiment& experiment, bool same_node);

// The slowest between any two neighbouring ranks.
Duration HopTime(const Experiment& experiment, const costs::Spread& spread);

}  // namespace pipescope
