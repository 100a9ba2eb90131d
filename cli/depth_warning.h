// Where an experiment has what a fidelity cannot see, says so, and by how much the step is off.
//
// Fidelity `op` (and `schedule`) takes all GPUs of a pipeline rank for alike and a GPU's share of
// the fabric for one rate, so it is out of its depth with
//
//   slow GPUs, skewed experts         what_if: some GPUs hold up the others
//   slow and dead NICs and links      faults: some GPUs' traffic takes longer, or shares a NIC
//   hashed and detoured paths         flows collide on links that all others leave empty
//   dragonflies, tori, listed fabrics the links between groups may be narrower than the NICs
//
// That gradients, pipeline messages and dispatches share NICs it does see. `flow` sees all of it.
#pragma once

#include <string>
#include <vector>

#include "sim/experiment/experiment.h"
#include "sim/result/result_types.h"

namespace pipescope::cli {

// What of the experiment `op` does not see; empty: nothing.
std::vector<std::string> UnseenByOp(const Experiment& experiment);

// A line for people, with the time that `flow` finds where that takes seconds; "" where there is
// nothing to warn of. `result` is of `schedule`.
std::string DepthWarning(const Experiment& experiment, const StepResult& result,
                         const std::string& schedule);

}  // namespace pipescope::cli
