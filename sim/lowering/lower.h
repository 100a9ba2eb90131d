// From a schedule's actions to a task graph.
//
// Every action becomes the operations of its template (action_template.h). Operations wait for
//   - each other, as the template says;
//   - the end of the rank's previous action;
//   - their inputs: the producing operation where the neighbouring stage is on the same rank, else
//     a message of one micro-batch's hidden states (tokens x hidden x 2 bytes; each GPU sends its
//     share of the tokens) that leaves as soon as they are complete, which in an overlapped pair is
//     before the pair's end.
//   - where communication.overlap_messages is off, the messages of the rank's previous action,
//     which leave only at its end
// The step's end is in step_end.h. All GPUs of a pipeline rank do the same at the same time, so one
// stands for all of them (folded); unfold.h makes the single GPUs again.
#pragma once

#include "schedules/schedule.h"
#include "sim/costs/routing.h"
#include "sim/experiment/experiment.h"
#include "sim/lowering/fixed_times.h"
#include "sim/lowering/task_graph.h"
#include "sim/model/layout.h"

namespace pipescope {

// With `fixed` (fidelity `schedule`) an action is its time and a message a hop; neither shares
// anything. What the step ends with stays.
//
// `schedule` has passed the checker and has as many stages as `layout`; `fixed`, if any, is its.
TaskGraph Lower(const Experiment& experiment, const schedules::Schedule& schedule,
                const model::Layout& layout, const costs::Spread& spread,
                const FixedTimes* fixed = nullptr);

}  // namespace pipescope
