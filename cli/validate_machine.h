// What a prediction is told of the machine that a group of runs is made on: processors, and what
// messages cost.
//
//   threads     the hops that the verb measured, to a rank that waits awake or is woken
//   processes   hop and both ends of a message of the model's size
//   devices     the device's own hop; a processor for each rank
//   turns       ranks of one machine that share its processors: a message is there at once, and who
//               waits for it is ready before its sender's next step; what takes time is that an
//               idle processor is woken
//
// Example: 4 threads on 2 processors, hops of 0.7 us awake and 28 us woken: by turns, wake 28 us.
#pragma once

#include "cli/validate_predict.h"
#include "cli/validate_run.h"
#include "kernels/executor/crew.h"
#include "kernels/transformer/config.h"
#include "sim/base/result.h"

namespace pipescope::cli {

// Runs messages where it has to; complete where the crew leads.
Result<Machine> MachineOf(const ValidateGroup& group, const transformer::ModelConfig& model,
                          const ThreadHops& hops, executor::Crew& crew);

}  // namespace pipescope::cli
